#include "http/record_json.h"

#include "render_record.h"

#include <inttypes.h>

enum dbk_code dbk_record_json_write(const struct dbk_record *record, char *out,
                                    size_t size, size_t *length, struct dbk_error *err)
{
    /* A buffer as large as its limit never grows: it stays the caller's. */
    struct dbk_render render = {.text = out, .size = size, .limit = size};

    dbk_render_record_exact(&render, record);
    *length = render.length;
    if (render.replaced)
        return dbk_fail(err, DBK_INVALID,
                        "record %" PRIu64 " holds text that is not UTF-8",
                        record->sequence);
    if (dbk_render_code(&render) != DBK_OK)
        return dbk_fail(err, DBK_TOO_LARGE,
                        "record %" PRIu64 " does not fit %zu bytes of JSON",
                        record->sequence, size);
    return DBK_OK;
}
