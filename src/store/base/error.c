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

/* Drop the character that a cut went through: half of one is no UTF-8, and PostgreSQL
 * refuses to keep such a reason. */
static void keep_whole_characters(char *text, size_t length)
{
    size_t start = length, needed;

    while (start > 0 && length - start < 3 &&
           ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    needed = (unsigned char)text[start - 1] >= 0xF0   ? 4
             : (unsigned char)text[start - 1] >= 0xE0 ? 3
             : (unsigned char)text[start - 1] >= 0xC0 ? 2
                                                      : 1;
    if (length - start + 1 < needed)
        text[start - 1] = '\0';
}

/* The text was made apart from err, which its arguments may have pointed into. */
static void set_text(struct dbk_error *err, const char *text, int wanted)
{
    memcpy(err->text, text, sizeof err->text);
    if (wanted >= (int)sizeof err->text)
        keep_whole_characters(err->text, sizeof err->text - 1);
    keep_one_line(err->text);
}

enum dbk_code dbk_fail(struct dbk_error *err, enum dbk_code code, const char *format,
                       ...)
{
    char text[sizeof err->text] = "";
    va_list args;
    int wanted;

    if (!err)
        return code;
    va_start(args, format);
    wanted = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err->code = code;
    set_text(err, text, wanted);
    return code;
}

enum dbk_code dbk_wrap(struct dbk_error *err, const char *format, ...)
{
    char text[sizeof err->text] = "";
    va_list args;
    size_t used;
    int rest;

    if (!err)
        return DBK_INTERNAL;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    used = strlen(text);
    rest = snprintf(text + used, sizeof text - used, ": %s", err->text);
    set_text(err, text, (int)used + rest);
    return err->code;
}
