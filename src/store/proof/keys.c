/* Keys as text. */
#include "base64.h"
#include "store/proof/note.h"
#include "store/proof/tree.h"
#include "store/utf8.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

_Static_assert(crypto_sign_PUBLICKEYBYTES == 32 && crypto_sign_SEEDBYTES == 32,
               "Ed25519");

enum { KEY_BYTES_MAX = 2048 }; /* of kinds that are not known here, too */

/* White_Space of Unicode, but for control characters. */
static bool is_space(uint32_t point)
{
    return point == 0x20 || point == 0xA0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200A) || point == 0x2028 || point == 0x2029 ||
           point == 0x202F || point == 0x205F || point == 0x3000;
}

bool dbk_note_name_valid(struct dbk_slice name)
{
    const char *at = name.data, *end = at + name.length;

    if (name.length == 0 || name.length > DBK_NOTE_NAME_MAX)
        return false;
    while (at < end) {
        uint32_t point;
        size_t length = dbk_utf8_decode(at, end, &point);

        if (length == 0 || is_space(point) || dbk_utf8_is_control(point) ||
            point == '+')
            return false;
        at += length;
    }
    return true;
}

/* First bytes of SHA-256(name, line feed, type, key). */
static void find_id(struct dbk_vkey *key)
{
    uint8_t bytes[DBK_NOTE_NAME_MAX + 2 + 32];
    size_t length = strlen(key->name);
    struct dbk_hash hash;

    memcpy(bytes, key->name, length);
    bytes[length] = '\n';
    bytes[length + 1] = (uint8_t)key->type;
    memcpy(bytes + length + 2, key->public_key, 32);
    dbk_hash_entry(bytes, length + 2 + 32, &hash);
    memcpy(key->id, hash.bytes, sizeof key->id);
}

static size_t format_key(const char *before, const struct dbk_vkey *key,
                         const uint8_t bytes[32], char *out)
{
    uint8_t typed[33] = {(uint8_t)key->type};
    size_t length;

    memcpy(typed + 1, bytes, 32);
    length = (size_t)sprintf(out, "%s%s+%02x%02x%02x%02x+", before, key->name,
                             key->id[0], key->id[1], key->id[2], key->id[3]);
    length += base64_write(typed, sizeof typed, out + length);
    sodium_memzero(typed, sizeof typed);
    return length;
}

size_t dbk_vkey_format(const struct dbk_vkey *key, char out[DBK_VKEY_TEXT + 1])
{
    return format_key("", key, key->public_key, out);
}

size_t dbk_skey_format(const struct dbk_skey *key, char out[DBK_SKEY_TEXT + 1])
{
    return format_key("PRIVATE+KEY+", &key->vkey, key->seed, out);
}

bool dbk_vkey_equal(const struct dbk_vkey *a, const struct dbk_vkey *b)
{
    return a->type == b->type && !strcmp(a->name, b->name) &&
           !memcmp(a->public_key, b->public_key, sizeof a->public_key);
}

/* Its three parts, cut at the plus signs; base64 may have some, too. */
static bool cut(struct dbk_slice text, struct dbk_slice part[3])
{
    for (unsigned i = 0; i < 2; i++) {
        const char *plus = text.length > 0 ? memchr(text.data, '+', text.length) : NULL;

        if (!plus)
            return false;
        part[i] = (struct dbk_slice){text.data, (size_t)(plus - text.data)};
        text.length -= part[i].length + 1;
        text.data = plus + 1;
    }
    part[2] = text;
    return true;
}

static enum dbk_code known_type(uint8_t type, struct dbk_error *err)
{
    if (type == DBK_KEY_LOG || type == DBK_KEY_WITNESS)
        return DBK_OK;
    return dbk_fail(err, DBK_UNSUPPORTED,
                    "a key of type 0x%02x: known are 0x01 (Ed25519) and 0x04 (a "
                    "witness's)",
                    type);
}

/* Name, type and the 32 bytes behind it; *id is what the text says. */
static enum dbk_code read_key(struct dbk_slice text, struct dbk_vkey *key,
                              uint8_t bytes[32], struct dbk_slice *id,
                              struct dbk_error *err)
{
    struct dbk_slice part[3];
    uint8_t typed[KEY_BYTES_MAX];
    size_t length;
    enum dbk_code code;

    if (!cut(text, part) || !dbk_note_name_valid(part[0]) || part[1].length != 8)
        return dbk_fail(err, DBK_INVALID, "no key: one is written NAME+ID+KEY");
    if (!base64_read(part[2], typed, sizeof typed, &length))
        return dbk_fail(err, DBK_INVALID, "no key: its last part is not base64");
    code = known_type(typed[0], err);
    if (code == DBK_OK && length != 1 + 32)
        code = dbk_fail(err, DBK_INVALID, "no key: it has not 32 bytes");
    if (code == DBK_OK) {
        memcpy(key->name, part[0].data, part[0].length);
        key->type = (enum dbk_key_type)typed[0];
        memcpy(bytes, typed + 1, 32);
        *id = part[1];
    }
    sodium_memzero(typed, sizeof typed);
    return code;
}

static enum dbk_code check_id(const struct dbk_vkey *key, struct dbk_slice id,
                              struct dbk_error *err)
{
    char own[9];

    sprintf(own, "%02x%02x%02x%02x", key->id[0], key->id[1], key->id[2], key->id[3]);
    if (!memcmp(own, id.data, 8))
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID,
                    "a key whose id should be %s: a character was changed", own);
}

enum dbk_code dbk_vkey_parse(struct dbk_slice text, struct dbk_vkey *key,
                             struct dbk_error *err)
{
    struct dbk_slice id;
    enum dbk_code code;

    *key = (struct dbk_vkey){.type = DBK_KEY_LOG};
    code = read_key(text, key, key->public_key, &id, err);
    if (code != DBK_OK)
        return code;
    find_id(key);
    return check_id(key, id, err);
}

enum dbk_code dbk_skey_make(struct dbk_slice name, enum dbk_key_type type,
                            const uint8_t *seed, struct dbk_skey *key,
                            struct dbk_error *err)
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES];

    *key = (struct dbk_skey){.vkey.type = type};
    if (!dbk_note_name_valid(name))
        return dbk_fail(err, DBK_INVALID,
                        "a name of 1 to %d bytes, without spaces and +, as "
                        "log.example.org/daybook",
                        DBK_NOTE_NAME_MAX);
    if (sodium_init() < 0)
        return dbk_fail(err, DBK_INTERNAL, "libsodium does not start");
    memcpy(key->vkey.name, name.data, name.length);
    if (seed)
        memcpy(key->seed, seed, sizeof key->seed);
    else
        randombytes_buf(key->seed, sizeof key->seed);
    crypto_sign_seed_keypair(key->vkey.public_key, secret, key->seed);
    sodium_memzero(secret, sizeof secret);
    find_id(&key->vkey);
    return DBK_OK;
}

enum dbk_code dbk_skey_parse(struct dbk_slice text, struct dbk_skey *key,
                             struct dbk_error *err)
{
    static const char before[] = "PRIVATE+KEY+";
    const size_t length = sizeof before - 1;
    struct dbk_vkey read = {.type = DBK_KEY_LOG};
    struct dbk_slice id;
    uint8_t seed[32];
    enum dbk_code code;

    if (text.length < length || memcmp(text.data, before, length) != 0)
        return dbk_fail(err, DBK_INVALID, "no private key: one begins with %s", before);
    text.data += length;
    text.length -= length;
    code = read_key(text, &read, seed, &id, err);
    if (code == DBK_OK)
        code = dbk_skey_make(dbk_slice(read.name), read.type, seed, key, err);
    if (code == DBK_OK)
        code = check_id(&key->vkey, id, err);
    sodium_memzero(seed, sizeof seed);
    return code;
}

void dbk_skey_wipe(struct dbk_skey *key)
{
    sodium_memzero(key, sizeof *key);
}
