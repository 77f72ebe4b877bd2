/* check.h - what the tests of this folder share: cmocka with its headers, and calls
 * that show the sentence when it is not the expected one. */
#ifndef DBK_TESTS_HTTP_CHECK_H
#define DBK_TESTS_HTTP_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/fields.h"
#include "store/slice.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text in a block of its very size, so that ASan sees a byte read past it. Free it.
 */
static inline char *exact(const char *text, size_t length)
{
    char *copy = malloc(length ? length : 1);

    assert_non_null(copy);
    memcpy(copy, text, length);
    return copy;
}

static inline void assert_slice(struct dbk_slice slice, const char *expected)
{
    if (!dbk_slice_equal(slice, dbk_slice(expected)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)slice.length, slice.data, expected);
}

/* Whether fields has this complaint; message may be its beginning. */
static inline void assert_field(const struct dbk_field_errors *fields,
                                const char *field, const char *message)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (!strcmp(fields->list[i].field, field) &&
            !strncmp(fields->list[i].message, message, strlen(message)))
            return;
    }
    for (size_t i = 0; i < fields->count; i++)
        print_error("  %s: %s\n", fields->list[i].field, fields->list[i].message);
    fail_msg("no complaint \"%s: %s\"", field, message);
}

#endif
