#include "store/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* An error is one line of a log: what came from outside may not break it. */
static void keep_one_line(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = ' ';
    }
}

enum dbk_code dbk_fail(struct dbk_error *err, enum dbk_code code, const char *format,
                       ...)
{
    va_list args;

    if (!err)
        return code;
    err->code = code;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    keep_one_line(err->text);
    return code;
}

enum dbk_code dbk_wrap(struct dbk_error *err, const char *format, ...)
{
    char rest[sizeof err->text];
    va_list args;
    size_t used;

    if (!err)
        return DBK_INTERNAL;
    memcpy(rest, err->text, sizeof rest);
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    used = strlen(err->text);
    snprintf(err->text + used, sizeof err->text - used, ": %s", rest);
    keep_one_line(err->text);
    return err->code;
}
