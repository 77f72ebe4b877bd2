/* page_answer.h - answers with a file that lies in the program. */
#ifndef DBK_HTTP_PAGE_ANSWER_H
#define DBK_HTTP_PAGE_ANSWER_H

#include "store/error.h"

#include <stddef.h>

#define PAGE_HTML "text/html; charset=utf-8"
#define PAGE_SCRIPT "text/javascript; charset=utf-8"
#define PAGE_STYLE "text/css; charset=utf-8"

struct request;
struct response;

struct page_file {
    const char *name, *type; /* its Content-Type */
    const char *bytes;
    const size_t *size;
};

/* Answer with it, its tag, and what a browser may do with it (Content-Security-Policy). */
enum dbk_code page_answer(const struct request *rq, struct response *rs,
                          const char *policy, const struct page_file *file);

/* The same with the file that the path names, of a list that ends with one without name.
 * DBK_NOT_FOUND: there is none of that name. */
enum dbk_code page_answer_file(const struct request *rq, struct response *rs,
                               const char *policy, const struct page_file *files,
                               struct dbk_error *err);

#endif
