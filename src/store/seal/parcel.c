#include "parcel.h"

#include "seal.h"
#include "store/little_endian.h"

#include <sodium.h>

_Static_assert((int)PARCEL_SEALED == (int)PARCEL_HEAD + (int)SEAL_NONCE &&
                   (int)PARCEL_TAG == (int)SEAL_TAG &&
                   DBK_PARCEL_OVERHEAD == PARCEL_SEALED + DBK_KEY_BYTES + PARCEL_TAG,
               "as store/keys_share.h has it");

static void key_of(const uint8_t master[DBK_KEY_BYTES], uint8_t key[SEAL_KEY])
{
    static const uint8_t personal[crypto_generichash_blake2b_PERSONALBYTES] =
        "daybook stream";

    crypto_generichash_blake2b_salt_personal(key, SEAL_KEY, NULL, 0, master,
                                             DBK_KEY_BYTES, NULL, personal);
}

static size_t text_length(uint32_t count)
{
    return DBK_KEY_BYTES * ((size_t)count + 1);
}

void parcel_seal(char *parcel, const uint8_t master[DBK_KEY_BYTES], uint64_t first,
                 uint32_t count)
{
    uint8_t key[SEAL_KEY];

    ring_master_id(master, (uint8_t *)parcel);
    dbk_put_le64(parcel + 16, first);
    dbk_put_le32(parcel + 24, count);
    key_of(master, key);
    seal_in_place(key, (struct dbk_slice){parcel, PARCEL_HEAD}, NULL,
                  parcel + PARCEL_HEAD, text_length(count));
    sodium_memzero(key, sizeof key);
}

bool dbk_parcel_look(struct dbk_slice parcel, uint64_t *first, uint32_t *count)
{
    if (parcel.length < DBK_PARCEL_OVERHEAD)
        return false;
    *first = dbk_get_le64(parcel.data + 16);
    *count = dbk_get_le32(parcel.data + 24);
    return *first > 0 && *first <= RING_NUMBER_MAX && *count <= DBK_PARCEL_MOST &&
           parcel.length == parcel_length(*count);
}

bool parcel_is_by(struct dbk_slice parcel, const uint8_t master[DBK_KEY_BYTES])
{
    uint8_t id[RING_MASTER_ID];

    ring_master_id(master, id);
    return parcel.length >= sizeof id && sodium_memcmp(id, parcel.data, sizeof id) == 0;
}

enum dbk_code parcel_open(struct dbk_slice parcel, const uint8_t master[DBK_KEY_BYTES],
                          uint8_t **text, struct dbk_error *err)
{
    struct dbk_slice head = {parcel.data, PARCEL_HEAD},
                     blob = {parcel.data + PARCEL_HEAD, parcel.length - PARCEL_HEAD};
    uint8_t key[SEAL_KEY];
    uint64_t first;
    uint32_t count;
    bool opened;

    *text = NULL;
    if (!dbk_parcel_look(parcel, &first, &count))
        return dbk_fail(err, DBK_DAMAGED, "what should be keys is none");
    *text = sodium_malloc(text_length(count));
    if (!*text)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for keys");
    key_of(master, key);
    opened = seal_open(key, head, blob, (char *)*text);
    sodium_memzero(key, sizeof key);
    if (opened)
        return DBK_OK;
    sodium_free(*text);
    *text = NULL;
    return dbk_fail(err, DBK_DAMAGED,
                    "the keys from number %llu on were changed on their way",
                    (unsigned long long)first);
}
