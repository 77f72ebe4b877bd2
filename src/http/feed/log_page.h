/* log_page.h - records of the log as an answer, in the form that Accept asks for. */
#ifndef DBK_HTTP_LOG_PAGE_H
#define DBK_HTTP_LOG_PAGE_H

#include "request.h"
#include "response.h"
#include "store/log.h"

#define NDJSON_MEDIA "application/x-ndjson"
#define RECORD_MEDIA "application/msgpack" /* a record's own bytes */

enum log_form {
    LOG_JSON,  /* in the envelope */
    LOG_LINES, /* a record a line (NDJSON) */
    LOG_CLOUD, /* CloudEvents (cloud_event.h) */
};

/* What a request for records wants, with what CloudEvents are called there: one, or a
 * batch; NULL: there are none. */
enum log_form log_page_wanted(const struct request *rq, const char *cloud);

/* Begin a page in rs->body, render records into it or into what follows it, end it. */
void log_page_begin(struct response *rs, enum log_form form);
void log_page_record(struct dbk_render *out, const struct dbk_record *record,
                     enum log_form form, bool first, const char *source);
enum dbk_code log_page_end(struct response *rs, enum log_form form, const char *details,
                           struct dbk_error *err);

/* As dbk_batch_record, of a record to be shown: one that lacks its key alone
 * says so in the place of what it said: DBK_OK. */
enum dbk_code log_page_read(const struct dbk_batch *batch, size_t i,
                            struct dbk_record *record, struct dbk_error *err);

/* A record of the page cannot be read: that is what the client is told, and how to go on
 * behind it. Returns err's code. */
enum dbk_code log_page_unreadable(struct request *rq, uint64_t sequence,
                                  const struct dbk_error *err);

/* Where the records of a page come from, piece by piece. */
struct log_pieces {
    bool (*more)(const void *context);
    /* Render the next ones into rs->body: about LOG_PIECE_BYTES, one at least. */
    enum dbk_code (*render)(struct request *rq, struct dbk_render *out, void *context,
                            struct dbk_error *err);
    void *context;
};

#define LOG_PIECE_BYTES (128u << 10)

/* Send the page: at once where it is one piece, else as a stream. A failure of the first
 * piece is the answer; one of a later piece breaks the connection off. */
enum dbk_code log_page_send(struct request *rq, struct response *rs, enum log_form form,
                            const struct log_pieces *pieces, const char *details,
                            struct dbk_error *err);

#define LOG_PAGE_NOTHING                                                               \
    "The request was successful, and there are no records behind this one"

#endif
