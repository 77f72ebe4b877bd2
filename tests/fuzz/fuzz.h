/* fuzz.h - what the fuzz targets share.
 *
 * A target is one entry point as libFuzzer calls it: clang's -fsanitize=fuzzer drives it,
 * and so does replay.c, with any compiler. It looks at one input, and stops with a core
 * where the code under test breaks a promise.
 */
#ifndef DBK_TESTS_FUZZ_H
#define DBK_TESTS_FUZZ_H

#include "store/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stop with a core, as a sanitizer does. */
static inline void require(bool promise)
{
    if (!promise)
        abort();
}

/* A copy of its very size, so that ASan sees a read past its end; free it. */
static inline char *copy_bytes(const void *data, size_t size)
{
    char *copy = malloc(size ? size : 1);

    require(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    return copy;
}

/* The same with a NUL behind it. */
static inline char *copy_text(const void *data, size_t size)
{
    char *copy = malloc(size + 1);

    require(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    copy[size] = '\0';
    return copy;
}

/* A failure says what is wrong, on one line. */
static inline void require_reason(const struct dbk_error *err)
{
    require(err->code != DBK_OK && err->text[0] != '\0');
    for (const char *at = err->text; *at; at++)
        require((unsigned char)*at >= 0x20 && *at != 0x7f);
}

#endif
