#include "ring_format.h"

#include "store/little_endian.h"

#include <libdeflate.h>
#include <sodium.h>

_Static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == DBK_KEY_BYTES &&
                   crypto_aead_xchacha20poly1305_ietf_NPUBBYTES == 24 &&
                   DBK_KEY_BYTES + crypto_aead_xchacha20poly1305_ietf_ABYTES +
                           RING_SALT ==
                       RING_WRAPPED,
               "XChaCha20-Poly1305");

enum { SEALED = RING_WRAPPED - RING_SALT };

/* The last four bytes are the checksum of those before. */
static void put_sum(uint8_t *bytes, size_t length)
{
    dbk_put_le32(bytes + length - 4, libdeflate_crc32(0, bytes, length - 4));
}

static bool sum_is_right(const uint8_t *bytes, size_t length)
{
    return dbk_get_le32(bytes + length - 4) == libdeflate_crc32(0, bytes, length - 4);
}

void ring_fixed_write(const struct ring_fixed *fixed, uint8_t out[RING_FIXED])
{
    memset(out, 0, RING_FIXED);
    memcpy(out, "DBKR", 4);
    dbk_put_le32(out + 4, RING_VERSION);
    dbk_put_le64(out + 8, fixed->epoch);
    memcpy(out + 16, fixed->master_id, sizeof fixed->master_id);
    memcpy(out + 32, fixed->pepper, sizeof fixed->pepper);
    put_sum(out, RING_FIXED);
}

enum dbk_code ring_fixed_read(const uint8_t in[RING_FIXED], struct ring_fixed *fixed,
                              struct dbk_error *err)
{
    if (memcmp(in, "DBKR", 4) != 0)
        return dbk_fail(err, DBK_DAMAGED, "it is no ring of keys");
    if (dbk_get_le32(in + 4) > RING_VERSION)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "it is a ring of version %u: this program knows %d",
                        dbk_get_le32(in + 4), RING_VERSION);
    if (!sum_is_right(in, RING_FIXED) || dbk_get_le32(in + 4) != RING_VERSION)
        return dbk_fail(err, DBK_DAMAGED, "its header is damaged");
    fixed->epoch = dbk_get_le64(in + 8);
    memcpy(fixed->master_id, in + 16, sizeof fixed->master_id);
    memcpy(fixed->pepper, in + 32, sizeof fixed->pepper);
    return DBK_OK;
}

void ring_mark_write(const struct ring_mark *mark, uint8_t out[RING_MARK])
{
    memset(out, 0, RING_MARK);
    dbk_put_le64(out, mark->generation);
    dbk_put_le64(out + 8, mark->erased_through);
    dbk_put_le64(out + 16, mark->copied_epoch);
    dbk_put_le64(out + 24, mark->copied_count);
    dbk_put_le64(out + 32, (uint64_t)mark->copied_at);
    memcpy(out + 40, mark->first, sizeof mark->first);
    dbk_put_le64(out + 72, mark->rotated_through);
    dbk_put_le64(out + 80, (uint64_t)mark->rotated_at);
    put_sum(out, RING_MARK);
}

bool ring_mark_read(const uint8_t page[RING_PAGE], struct ring_mark *mark,
                    unsigned *place)
{
    bool found = false;

    for (unsigned i = 0; i < RING_MARKS; i++) {
        const uint8_t *in = page + RING_MARK_AT(i);

        if (!sum_is_right(in, RING_MARK) ||
            (found && dbk_get_le64(in) <= mark->generation))
            continue;
        found = true;
        *place = i;
        mark->generation = dbk_get_le64(in);
        mark->erased_through = dbk_get_le64(in + 8);
        mark->copied_epoch = dbk_get_le64(in + 16);
        mark->copied_count = dbk_get_le64(in + 24);
        mark->copied_at = (dbk_timestamp)dbk_get_le64(in + 32);
        memcpy(mark->first, in + 40, sizeof mark->first);
        mark->rotated_through = dbk_get_le64(in + 72);
        mark->rotated_at = (dbk_timestamp)dbk_get_le64(in + 80);
    }
    return found;
}

static uint32_t slot_sum(uint64_t number, const uint8_t slot[RING_SLOT])
{
    uint8_t bound[8];

    dbk_put_le64(bound, number);
    return libdeflate_crc32(libdeflate_crc32(0, bound, sizeof bound), slot,
                            RING_SLOT - 4);
}

void ring_slot_write(uint64_t number, const uint8_t *wrapped, uint8_t out[RING_SLOT])
{
    if (wrapped)
        memcpy(out, wrapped, RING_WRAPPED);
    else
        memset(out, 0, RING_WRAPPED);
    dbk_put_le32(out + 56, wrapped ? RING_KEY : RING_ERASED);
    dbk_put_le32(out + 60, slot_sum(number, out));
}

enum ring_slot ring_slot_read(const uint8_t in[RING_SLOT], uint64_t number)
{
    uint32_t state = dbk_get_le32(in + 56);

    if (dbk_get_le32(in + 60) != slot_sum(number, in) || state > RING_ERASED)
        return RING_TORN;
    return (enum ring_slot)state; /* 0: a hole that has the checksum of one by chance */
}

uint64_t ring_count(uint64_t file_size)
{
    return file_size < RING_PAGE ? 0 : (file_size - RING_PAGE) / RING_SLOT;
}

void ring_master_id(const uint8_t master[DBK_KEY_BYTES], uint8_t id[RING_MASTER_ID])
{
    static const uint8_t personal[crypto_generichash_blake2b_PERSONALBYTES] =
        "daybook master";

    crypto_generichash_blake2b_salt_personal(id, RING_MASTER_ID, NULL, 0, master,
                                             DBK_KEY_BYTES, NULL, personal);
}

static void find_nonce(uint64_t epoch, uint64_t number, const uint8_t salt[RING_SALT],
                       uint8_t nonce[24], uint8_t bound[8])
{
    dbk_put_le64(nonce, epoch);
    dbk_put_le64(nonce + 8, number);
    memcpy(nonce + 16, salt, RING_SALT);
    dbk_put_le64(bound, number);
}

void ring_wrap(const uint8_t master[DBK_KEY_BYTES], uint64_t epoch, uint64_t number,
               const uint8_t salt[RING_SALT], const uint8_t key[DBK_KEY_BYTES],
               uint8_t out[RING_WRAPPED])
{
    uint8_t nonce[24], bound[8];

    find_nonce(epoch, number, salt, nonce, bound);
    memcpy(out + SEALED, salt, RING_SALT);
    crypto_aead_xchacha20poly1305_ietf_encrypt(out, NULL, key, DBK_KEY_BYTES, bound,
                                               sizeof bound, NULL, nonce, master);
}

bool ring_unwrap(const uint8_t master[DBK_KEY_BYTES], uint64_t epoch, uint64_t number,
                 const uint8_t wrapped[RING_WRAPPED], uint8_t key[DBK_KEY_BYTES])
{
    uint8_t nonce[24], bound[8];

    find_nonce(epoch, number, wrapped + SEALED, nonce, bound);
    return crypto_aead_xchacha20poly1305_ietf_decrypt(key, NULL, NULL, wrapped, SEALED,
                                                      bound, sizeof bound, nonce,
                                                      master) == 0;
}
