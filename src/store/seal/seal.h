/* seal.h - bytes that only who has the key can read: XChaCha20-Poly1305, by libsodium.
 *
 * A blob is a nonce of 24 bytes, the ciphertext, and a tag of 16. What it is bound to (aad)
 * is not in it: opening needs the same. Format: draft-irtf-cfrg-xchacha-03. Private to the
 * store. Thread-safe.
 */
#ifndef DBK_STORE_SEAL_H
#define DBK_STORE_SEAL_H

#include "store/slice.h"

#include <stdbool.h>
#include <stdint.h>

enum { SEAL_KEY = 32, SEAL_NONCE = 24, SEAL_TAG = 16, SEAL_OVERHEAD = 40 };

/* Seal so many bytes, that begin at out + SEAL_NONCE, where they are: out then is a blob of
 * length + SEAL_OVERHEAD bytes. nonce: NULL for a random one, of a pool that each thread
 * fills as it goes (a process that forks must not go on sealing in both). */
void seal_in_place(const uint8_t key[SEAL_KEY], struct dbk_slice aad,
                   const uint8_t nonce[SEAL_NONCE], char *out, size_t length);

/* Seal in place with a nonce that follows from key, aad and text: the same again gives the
 * same bytes. For indexes, which are compared with what the log implies. */
void seal_the_same(const uint8_t key[SEAL_KEY], struct dbk_slice aad, char *out,
                   size_t length);

/* Open a blob into out, which has its length less SEAL_OVERHEAD. False: not sealed with this
 * key and aad, or changed since; out is zeroed then. */
bool seal_open(const uint8_t key[SEAL_KEY], struct dbk_slice aad, struct dbk_slice blob,
               char *out);

#endif
