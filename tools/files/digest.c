#include "digest.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct digest {
    EVP_MD_CTX *context;
};

enum dbk_code digest_create(struct digest **out, struct dbk_error *err)
{
    struct digest *digest = calloc(1, sizeof *digest);

    *out = NULL;
    if (digest)
        digest->context = EVP_MD_CTX_new();
    if (!digest || !digest->context ||
        EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL) != 1) {
        digest_destroy(digest);
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for SHA-256");
    }
    *out = digest;
    return DBK_OK;
}

void digest_destroy(struct digest *digest)
{
    if (!digest)
        return;
    EVP_MD_CTX_free(digest->context);
    free(digest);
}

void digest_add(struct digest *digest, const char *bytes, size_t length)
{
    EVP_DigestUpdate(digest->context, bytes, length); /* cannot fail for SHA-256 */
}

enum dbk_code digest_hex(const struct digest *digest, char out[DIGEST_HEX + 1],
                         struct dbk_error *err)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    unsigned length = 0;
    bool done = copy && EVP_MD_CTX_copy_ex(copy, digest->context) == 1 &&
                EVP_DigestFinal_ex(copy, sum, &length) == 1 && length == DIGEST_HEX / 2;

    EVP_MD_CTX_free(copy);
    if (!done)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for SHA-256");
    for (unsigned i = 0; i < length; i++)
        snprintf(out + 2 * (size_t)i, 3, "%02x", sum[i]);
    return DBK_OK;
}
