/* lines.h - texts of lines, taken apart strictly. */
#ifndef DBK_STORE_LINES_H
#define DBK_STORE_LINES_H

#include "store/slice.h"

#include <stdint.h>

/* Take the next line, without its line feed, from the front of text. False: there is none
 * that has one. */
bool lines_next(struct dbk_slice *text, struct dbk_slice *line);

/* A number in decimal, up to max, without zeros in front. */
bool lines_number(struct dbk_slice text, uint64_t max, uint64_t *out);

#endif
