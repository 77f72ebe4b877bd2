/* response.h - one answer: filled by a handler, sent once.
 *
 * Every JSON answer is the envelope {"data": ..., "response": {"details", "message",
 * "status"}}. It goes out in one write with its headers where it is small, for writes
 * are what costs; long lists are streamed (response_stream.h).
 */
#ifndef DBK_HTTP_RESPONSE_H
#define DBK_HTTP_RESPONSE_H

#include "coding.h"
#include "http/fields.h"
#include "store/error.h"
#include "store/render.h"

#include <stdbool.h>
#include <stdint.h>

#define RESPONSE_MAX (64u << 20) /* of one that is not streamed: the largest batch's */

#define CLIENT_SLOWEST 16 /* bytes a millisecond that a client must take */

#define DETAILS_OK "The request was successful"

struct request;

struct response {
    int status;
    const char *content_type;
    const char *cache_control; /* "no-store" unless the handler says another */
    struct dbk_render head;    /* header lines, each with its CRLF */
    struct dbk_render body;
    struct dbk_slice row; /* borrowed, and stands in the body at row_at; or length 0 */
    size_t row_at;
    struct dbk_render wire;   /* what is about to go out */
    enum coding coding;       /* of what goes out, */
    bool varies;              /* where it depends on Accept-Encoding; */
    struct encoder *encoder;  /* of a stream, or NULL */
    struct dbk_render coded;  /* the body, or a piece of it, coded */
    struct dbk_render proofs; /* of the records, for the envelope (receipt.h) */
    struct dbk_slice fixed;   /* a body that lives in the program; else length 0 */
    bool close;               /* the connection ends with this answer */
    bool relayed; /* another server's: head and body are as that wrote them */
    bool sent;    /* a stream; there is nothing left to send */
    bool broken;  /* the client went away, or was cut off in mid-stream */
    /* How many rows a list has, for the envelope; count_is NULL: not asked. */
    uint64_t count;
    const char *count_is;
    uint64_t bytes;    /* of the body, once it is sent */
    uint64_t sequence; /* of what was written; 0 for none */
    char error[sizeof((struct dbk_error *)0)->text]; /* for the access line only */
    char date[32];
    int64_t date_at; /* the second that date is the text of */
};

void response_init(struct response *rs);
void response_finish(struct response *rs);
void response_clear(struct response *rs); /* for the next request; keeps the memory */
void response_trim(struct response *rs);  /* once it is sent: keep little */

/* Add a header. The others are for what every answer has: printf is slow. */
void response_header(struct response *rs, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void response_header_text(struct response *rs, const char *name, const char *value);
void response_header_number(struct response *rs, const char *name, uint64_t value);

/* Say of which version the answer is (etag.h). True: the client has it already, so 304
 * is the answer, and there is nothing more to fill in. */
bool response_tag(struct response *rs, const struct request *rq, const char *tag);

/* The envelope: begin, render the data into rs->body, end. */
void response_begin(struct response *rs);
/* JSON for the body, here and once, which is not copied: it may be large, and must stay
 * until the answer is sent. */
void response_row(struct response *rs, struct dbk_slice json);
enum dbk_code response_end(struct response *rs, int status, const char *details,
                           struct dbk_error *err);
/* The same with more members of "response", as JSON: ",\"refused\":3". */
enum dbk_code response_end_with(struct response *rs, int status, const char *details,
                                const char *members, struct dbk_error *err);
/* A whole one whose data is null. fields may be NULL. */
enum dbk_code response_empty(struct response *rs, int status, const char *details,
                             const struct dbk_field_errors *fields,
                             struct dbk_error *err);

/* Drop whatever was filled in and answer this failure instead. status 0: the one of
 * err->code. */
void response_fail(struct response *rs, const struct request *rq, int status,
                   const struct dbk_error *err);

/* How it ended, once it is sent: 0 where the client went away. */
int response_status(const struct response *rs);

/* Write it to the client. Once. */
void response_send(struct response *rs, struct request *rq);

/* What streams share with it: the coding for a body of so many bytes; the head, into
 * rs->wire, with the line that says how long the body is; bytes behind it, which stay in
 * rs->wire while they are few and go out uncopied else; and what is in rs->wire. False when
 * the client is gone. */
void response_choose_coding(struct response *rs, const struct request *rq,
                            size_t length);
void response_render_head(struct response *rs, const struct request *rq,
                          const char *length_line);
bool response_put(struct response *rs, struct request *rq, struct dbk_slice bytes);
bool response_flush(struct response *rs, struct request *rq);

#endif
