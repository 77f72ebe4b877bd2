#include "seal.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

_Static_assert(SEAL_KEY == crypto_aead_xchacha20poly1305_ietf_KEYBYTES &&
                   SEAL_NONCE == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES &&
                   SEAL_TAG == crypto_aead_xchacha20poly1305_ietf_ABYTES &&
                   SEAL_OVERHEAD == SEAL_NONCE + SEAL_TAG,
               "as libsodium has it");

/* A call into the system for each nonce would take a third of the time that sealing does. */
enum { POOL = 64 };

static void random_nonce(char *out)
{
    static _Thread_local unsigned char pool[POOL * SEAL_NONCE];
    static _Thread_local size_t left;

    if (left == 0) {
        randombytes_buf(pool, sizeof pool);
        left = POOL;
    }
    left--;
    memcpy(out, pool + left * SEAL_NONCE, SEAL_NONCE);
}

static const unsigned char *bytes_of(struct dbk_slice slice)
{
    return (const unsigned char *)slice.data;
}

static void encrypt(const uint8_t key[SEAL_KEY], struct dbk_slice aad, char *out,
                    size_t length)
{
    unsigned char *nonce = (unsigned char *)out, *text = nonce + SEAL_NONCE;

    crypto_aead_xchacha20poly1305_ietf_encrypt(text, NULL, text, length, bytes_of(aad),
                                               aad.length, NULL, nonce, key);
}

void seal_in_place(const uint8_t key[SEAL_KEY], struct dbk_slice aad,
                   const uint8_t nonce[SEAL_NONCE], char *out, size_t length)
{
    if (nonce)
        memcpy(out, nonce, SEAL_NONCE);
    else
        random_nonce(out);
    encrypt(key, aad, out, length);
}

void seal_the_same(const uint8_t key[SEAL_KEY], struct dbk_slice aad, char *out,
                   size_t length)
{
    crypto_generichash_state state;
    int rc = crypto_generichash_init(&state, key, SEAL_KEY, SEAL_NONCE);

    rc |= crypto_generichash_update(&state, bytes_of(aad), aad.length);
    rc |= crypto_generichash_update(&state, (unsigned char *)out + SEAL_NONCE, length);
    rc |= crypto_generichash_final(&state, (unsigned char *)out, SEAL_NONCE);
    assert(rc == 0); /* the lengths are right */
    encrypt(key, aad, out, length);
}

bool seal_open(const uint8_t key[SEAL_KEY], struct dbk_slice aad, struct dbk_slice blob,
               char *out)
{
    const unsigned char *nonce = bytes_of(blob);

    if (blob.length < SEAL_OVERHEAD)
        return false;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(
            (unsigned char *)out, NULL, NULL, nonce + SEAL_NONCE,
            blob.length - SEAL_NONCE, bytes_of(aad), aad.length, nonce, key) == 0)
        return true;
    memset(out, 0, blob.length - SEAL_OVERHEAD);
    return false;
}
