/* made_entries.h - the entries that the vectors are of: entry i is the SHA-256 of the text
 * "record <i + 1>". The vectors were made by Go's golang.org/x/mod and transparency-dev's
 * merkle, formats and tessera, which agree. */
#ifndef MADE_ENTRIES_H
#define MADE_ENTRIES_H

#include "store/proof/tree.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MADE_NAME "daybook.example/log"
#define MADE_VKEY MADE_NAME "+2538d7a3+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
#define MADE_SKEY                                                                      \
    "PRIVATE+KEY+" MADE_NAME "+2538d7a3+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define MADE_WITNESS                                                                   \
    "witness.example/w1+c9cb6cd1+BLr8cb6tOsXktj6cghbucaNKrsZXIu7bynKLTps8zOOW"
#define MADE_TEXT_7 MADE_NAME "\n7\nKNCbjxESg9T/TS67XTg60t39j8jUeb5YAv73P+R6uRA=\n"
#define MADE_SIGNED_7                                                                  \
    MADE_TEXT_7 "\n\xe2\x80\x94 " MADE_NAME                                            \
                " JTjXo3o++YFVnBTHlt6lGNEksYjStDsniVdKGb1zphTDCVVG5C8WM4PWTpwfvQLi+"   \
                "mJy+RLZllpxcWAuIGlKInoftgc=\n"
#define MADE_COSIGNATURE                                                               \
    "\xe2\x80\x94 witness.example/w1 ycts0QAAAABlU/EAAXhb6W6Wdj/qrYN81WZPiPV/"         \
    "yWoJ0UC0B274znmCwODeg9m9baFhjIW3HCDSJUSAyaMVVi/ZwUzdYvL6j3kwAg==\n"

static inline void made_entry(uint64_t index, struct dbk_hash *out)
{
    char text[40];
    int length = snprintf(text, sizeof text, "record %" PRIu64, index + 1);

    dbk_hash_entry(text, (size_t)length, out);
}

static inline enum dbk_code made_entries(void *context, uint64_t first, size_t count,
                                         struct dbk_hash *out, struct dbk_error *err)
{
    (void)context;
    (void)err;
    for (size_t i = 0; i < count; i++)
        made_entry(first + i, &out[i]);
    return DBK_OK;
}

static inline struct dbk_tree *made_tree(uint64_t size)
{
    const struct dbk_tree_source source = {.entries = made_entries};
    struct dbk_tree *tree;

    assert_int_equal(dbk_tree_create(&source, &tree, NULL), DBK_OK);
    assert_int_equal(dbk_tree_grow(tree, size, NULL, NULL), DBK_OK);
    assert_int_equal(dbk_tree_size(tree), size);
    return tree;
}

static inline void assert_hex(const struct dbk_hash *hash, const char *hex)
{
    char text[2 * DBK_HASH_BYTES + 1];

    for (size_t i = 0; i < DBK_HASH_BYTES; i++)
        sprintf(text + 2 * i, "%02x", hash->bytes[i]);
    assert_string_equal(text, hex);
}

/* Of the hashes one behind the other. */
static inline void assert_all_hex(const struct dbk_hash *hashes, size_t count,
                                  const char *hex)
{
    struct dbk_hash hash;

    dbk_hash_entry(hashes, count * sizeof *hashes, &hash);
    assert_hex(&hash, hex);
}

#endif
