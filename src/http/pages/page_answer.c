#include "page_answer.h"

#include "etag.h"
#include "request.h"
#include "response.h"

#include <string.h>

enum dbk_code page_answer(const struct request *rq, struct response *rs,
                          const char *policy, const struct page_file *file)
{
    char tag[ETAG_MAX];

    etag_format(tag, 0, (struct dbk_slice){file->bytes, *file->size});
    rs->cache_control = "no-cache";
    response_header(rs, "Content-Security-Policy", "%s", policy);
    response_header(rs, "Referrer-Policy", "no-referrer");
    response_header(rs, "X-Frame-Options",
                    "DENY"); /* as frame-ancestors, for old ones */
    rs->content_type = file->type;
    rs->fixed = (struct dbk_slice){file->bytes, *file->size};
    response_tag(rs, rq, tag);
    return DBK_OK;
}

enum dbk_code page_answer_file(const struct request *rq, struct response *rs,
                               const char *policy, const struct page_file *files,
                               struct dbk_error *err)
{
    for (const struct page_file *file = files; file->name; file++) {
        if (strcmp(file->name, rq->match.file) == 0)
            return page_answer(rq, rs, policy, file);
    }
    return dbk_fail(err, DBK_NOT_FOUND, "There is no such file");
}
