#include "idempotency_key.h"

#include <sodium.h>
#include <string.h>

static bool printable(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            return false;
    }
    return true;
}

/* White space around a value is not part of it (RFC 9110, section 5.5); civetweb leaves
 * what is behind, and a proxy may not. */
static size_t length_of(const char *value)
{
    size_t length = strlen(value);

    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    return length;
}

/* The terminating NUL goes in as well: so "ab", "c" and "a", "bc" differ. */
static void hash_text(crypto_hash_sha256_state *state, const char *text)
{
    crypto_hash_sha256_update(state, (const unsigned char *)text, strlen(text) + 1);
}

static void hash_request(const struct request *rq, uint8_t out[32])
{
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    hash_text(&state, rq->method);
    hash_text(&state, rq->path);
    crypto_hash_sha256_update(&state, (const unsigned char *)rq->body.data,
                              rq->body.length);
    crypto_hash_sha256_final(&state, out);
}

enum dbk_code idempotency_key(const struct request *rq, struct dbk_idempotency *out,
                              bool *there, struct dbk_error *err)
{
    const char *key = request_header(rq, "Idempotency-Key");
    size_t length = key ? length_of(key) : 0;

    *there = key != NULL;
    if (!key)
        return DBK_OK;
    if (length == 0 || length > IDEMPOTENCY_KEY_MAX || !printable(key, length))
        return dbk_fail(err, DBK_INVALID,
                        "Idempotency-Key: 1 to %d printable characters are needed",
                        IDEMPOTENCY_KEY_MAX);
    crypto_hash_sha256(out->key, (const unsigned char *)key, length);
    hash_request(rq, out->request);
    out->keep_us = rq->service->options.idempotency_keep_us;
    return DBK_OK;
}
