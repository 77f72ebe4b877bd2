/* SHA-256 as RFC 6962 uses it, by OpenSSL's own functions: without its providers, which cost as
 * much again as a hash of one block, three times a record; with no context to be had first, and
 * so nothing that can fail. libsodium's take four times as long: they have no use for the
 * processor's own instructions. */
#define OPENSSL_SUPPRESS_DEPRECATED /* they are there in 3.0 to 3.5 */
#include "store/proof/tree.h"

#include <openssl/sha.h>
#include <string.h>

_Static_assert(DBK_HASH_BYTES == SHA256_DIGEST_LENGTH, "SHA-256");

static void sha256(const void *bytes, size_t length, struct dbk_hash *out)
{
    SHA256_CTX context;

    SHA256_Init(&context);
    SHA256_Update(&context, bytes, length);
    SHA256_Final(out->bytes, &context);
}

bool dbk_hash_equal(const struct dbk_hash *a, const struct dbk_hash *b)
{
    return !memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

void dbk_hash_entry(const void *record, size_t length, struct dbk_hash *entry)
{
    sha256(record, length, entry);
}

void dbk_hash_leaf(const struct dbk_hash *entry, struct dbk_hash *leaf)
{
    uint8_t bytes[1 + DBK_HASH_BYTES] = {0x00};

    memcpy(bytes + 1, entry->bytes, DBK_HASH_BYTES);
    sha256(bytes, sizeof bytes, leaf);
}

void dbk_hash_node(const struct dbk_hash *left, const struct dbk_hash *right,
                   struct dbk_hash *out)
{
    uint8_t bytes[1 + 2 * DBK_HASH_BYTES] = {0x01};

    memcpy(bytes + 1, left->bytes, DBK_HASH_BYTES);
    memcpy(bytes + 1 + DBK_HASH_BYTES, right->bytes, DBK_HASH_BYTES);
    sha256(bytes, sizeof bytes, out);
}

void dbk_hash_empty(struct dbk_hash *root)
{
    sha256("", 0, root);
}
