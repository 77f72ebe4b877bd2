/* GET /console with its files: a page that asks the routes of this server like any client,
 * with the token that is typed into it. It shows what clients sent, so a browser is told to
 * run and to load nothing but its own two files. */
#include "console_files.h"
#include "handlers.h"

#define CONTENT_POLICY                                                                 \
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "    \
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; "                      \
    "frame-ancestors 'none'"

enum dbk_code handle_console(struct request *rq, struct response *rs,
                             struct dbk_error *err)
{
    (void)err;
    return page_answer(rq, rs, CONTENT_POLICY, &console_page);
}

enum dbk_code handle_console_file(struct request *rq, struct response *rs,
                                  struct dbk_error *err)
{
    return page_answer_file(rq, rs, CONTENT_POLICY, console_files, err);
}
