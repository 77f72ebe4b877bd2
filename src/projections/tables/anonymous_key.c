#include "anonymous_key.h"

#include <sodium.h>

_Static_assert(crypto_generichash_KEYBYTES ==
                   sizeof(((struct anonymous_secret *)0)->bytes),
               "the key is as long as the hash wants it");
_Static_assert(crypto_generichash_BYTES_MIN <= sizeof(((struct dbk_uuid *)0)->bytes),
               "the hash can be as short as an id");

void anonymous_secret_init(struct anonymous_secret *secret)
{
    randombytes_buf(secret->bytes, sizeof secret->bytes);
}

struct dbk_uuid anonymous_key(const struct anonymous_secret *secret,
                              struct dbk_slice anonymous_id)
{
    struct dbk_uuid key;

    crypto_generichash(key.bytes, sizeof key.bytes,
                       (const unsigned char *)anonymous_id.data, anonymous_id.length,
                       secret->bytes, sizeof secret->bytes);
    return key;
}
