/* log_page.h - records of the log as an answer, in the form that Accept asks for. */
#ifndef DBK_HTTP_LOG_PAGE_H
#define DBK_HTTP_LOG_PAGE_H

#include "request.h"
#include "response.h"
#include "store/record.h"

#define NDJSON_MEDIA "application/x-ndjson"

enum log_form {
    LOG_JSON,  /* in the envelope */
    LOG_LINES, /* a record a line (NDJSON) */
    LOG_CLOUD, /* CloudEvents (cloud_event.h) */
};

/* What a request for records wants, with what CloudEvents are called there: one, or a
 * batch. */
enum log_form log_page_wanted(const struct request *rq, const char *cloud);

/* Begin a page in rs->body, render records into it or into what follows it, end it. */
void log_page_begin(struct response *rs, enum log_form form);
void log_page_record(struct dbk_render *out, const struct dbk_record *record,
                     enum log_form form, bool first, const char *source);
enum dbk_code log_page_end(struct response *rs, enum log_form form, const char *details,
                           struct dbk_error *err);

#define LOG_PAGE_NOTHING                                                               \
    "The request was successful, and there are no records behind this one"

#endif
