#include "export_beside.h"

#include "export_format.h"
#include "store/durable.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum dbk_code export_beside_name(const char *path, char out[PATH_MAX],
                                 struct dbk_error *err)
{
    if (snprintf(out, PATH_MAX, "%s.trailer.json", path) >= PATH_MAX)
        return dbk_fail(err, DBK_INVALID, "the file's path is too long");
    return DBK_OK;
}

enum dbk_code export_beside_write(const char *path, struct dbk_slice trailer,
                                  struct dbk_error *err)
{
    char name[PATH_MAX], text[EXPORT_TRAILER_MAX + 1];

    assert(trailer.length < sizeof text);
    if (export_beside_name(path, name, err) != DBK_OK)
        return err->code;
    memcpy(text, trailer.data, trailer.length);
    text[trailer.length] = '\n';
    return dbk_write_file(name, 0600, text, trailer.length + 1, err);
}
