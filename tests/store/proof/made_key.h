/* made_key.h - keys that are made of a text. */
#ifndef TEST_MADE_KEY_H
#define TEST_MADE_KEY_H

#include "made_entries.h"
#include "store/proof/checkpoint.h"

static struct dbk_error err;

static inline struct dbk_skey made_key(void)
{
    struct dbk_skey key;

    assert_int_equal(dbk_skey_parse(dbk_slice(MADE_SKEY), &key, &err), DBK_OK);
    return key;
}

static inline struct dbk_vkey vkey_of(const char *text)
{
    struct dbk_vkey key;

    assert_int_equal(dbk_vkey_parse(dbk_slice(text), &key, &err), DBK_OK);
    return key;
}

#endif
