/* escape.h - makes any bytes safe to print on one line. */
#ifndef DBK_TOOLS_ESCAPE_H
#define DBK_TOOLS_ESCAPE_H

#include "store/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Text that grows in a buffer of fixed size, always NUL-terminated. What does not fit
 * whole is left out, and cut says so. */
struct line {
    char *text; /* borrowed */
    size_t size;
    size_t length;
    bool cut;
};

void line_add(struct line *line, const char *text);

/* Add text as the inside of a JSON string: quotes, backslashes and control characters
 * escaped, U+FFFD for each byte that is not UTF-8. */
void line_add_json(struct line *line, const char *text);

/* Add text for people: as it stands where it is one plain word, else in quotes with
 * \" \\ \n \r \t and \xNN for other control characters and bytes that are not UTF-8. */
void line_add_value(struct line *line, const char *text);

/* As line_add_value, without the quotes: only what could break the line is escaped. */
void line_add_plain(struct line *line, const char *text);

/* Print text as line_add_plain adds it. */
void escape_plain(FILE *out, struct dbk_slice text);

/* Print text as a string of JSON, with its quotes, as line_add_json adds its inside. */
void escape_string(FILE *out, const char *text);

/* Print JSON as it is, but for what a terminal would act on: such a character can only
 * stand in a string, where \u and its number say the same. */
void escape_json(FILE *out, struct dbk_slice json);

#endif
