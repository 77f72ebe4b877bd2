/* base64.h - RFC 4648's, section 4: with padding, and in the one way a text can be written. */
#ifndef DBK_STORE_BASE64_H
#define DBK_STORE_BASE64_H

#include "store/slice.h"

#include <stddef.h>

#define BASE64_TEXT(bytes) (((bytes) + 2) / 3 * 4)

/* Write it with a NUL behind; returns the length. */
size_t base64_write(const void *bytes, size_t length, char *out);

/* Read it. False: it is none, has no byte, or more than size. */
bool base64_read(struct dbk_slice text, void *out, size_t size, size_t *length);

#endif
