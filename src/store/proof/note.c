/* Notes: taken apart, verified, signed. */
#include "store/proof/note.h"

#include "base64.h"
#include "store/utf8.h"

#include <endian.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DASH "\xe2\x80\x94 " /* U+2014 and a space */

enum { DASH_BYTES = 4, TIME_BYTES = 8 };

static enum dbk_code malformed(struct dbk_error *err, const char *what)
{
    return dbk_fail(err, DBK_INVALID, "no signed note: %s", what);
}

static bool is_text(struct dbk_slice bytes)
{
    const char *at = bytes.data, *end = at + bytes.length;

    while (at < end) {
        uint32_t point;
        size_t length = dbk_utf8_decode(at, end, &point);

        if (length == 0 || (point < 0x20 && point != '\n'))
            return false;
        at += length;
    }
    return true;
}

/* Behind the last empty line. */
static size_t find_signatures(struct dbk_slice bytes)
{
    for (size_t i = bytes.length; i >= 2; i--) {
        if (bytes.data[i - 1] == '\n' && bytes.data[i - 2] == '\n')
            return i;
    }
    return 0;
}

static bool read_signature(struct dbk_slice line, struct dbk_note_signature *out)
{
    struct dbk_slice rest = {line.data + DASH_BYTES, line.length - DASH_BYTES - 1};
    const char *space;
    uint8_t bytes[DBK_SIGNATURE_MAX];
    size_t length;

    space = rest.length > 0 ? memchr(rest.data, ' ', rest.length) : NULL;
    if (!space)
        return false;
    *out = (struct dbk_note_signature){.line = line};
    out->name = (struct dbk_slice){rest.data, (size_t)(space - rest.data)};
    rest = (struct dbk_slice){space + 1, rest.length - out->name.length - 1};
    if (!dbk_note_name_valid(out->name) ||
        !base64_read(rest, bytes, sizeof bytes, &length) || length <= DBK_NOTE_ID)
        return false;
    memcpy(out->id, bytes, DBK_NOTE_ID);
    out->length = length - DBK_NOTE_ID;
    if (out->length <= sizeof out->bytes)
        memcpy(out->bytes, bytes + DBK_NOTE_ID, out->length);
    return true;
}

static enum dbk_code read_signatures(struct dbk_slice lines, struct dbk_note *note,
                                     struct dbk_error *err)
{
    while (lines.length > 0) {
        const char *feed = memchr(lines.data, '\n', lines.length);
        struct dbk_slice line = {lines.data,
                                 feed ? (size_t)(feed - lines.data) + 1 : 0};

        if (line.length <= DASH_BYTES || memcmp(line.data, DASH, DASH_BYTES) != 0)
            return malformed(err, "a line behind the empty one is no signature");
        if (note->count == DBK_NOTE_SIGNATURES_MAX)
            return dbk_fail(err, DBK_TOO_LARGE, "a note of more than %d signatures",
                            DBK_NOTE_SIGNATURES_MAX);
        if (!read_signature(line, &note->signatures[note->count++]))
            return malformed(err, "a signature has not the form of one");
        lines.data += line.length;
        lines.length -= line.length;
    }
    return DBK_OK;
}

enum dbk_code dbk_note_parse(struct dbk_slice bytes, struct dbk_note *note,
                             struct dbk_error *err)
{
    size_t end;

    note->count = 0;
    note->text = (struct dbk_slice){0};
    if (bytes.length > DBK_NOTE_MAX)
        return dbk_fail(err, DBK_TOO_LARGE, "a note of more than %zu bytes",
                        DBK_NOTE_MAX);
    if (bytes.length == 0)
        return malformed(err, "it is empty");
    if (!is_text(bytes))
        return malformed(err, "it is not UTF-8, or has control characters");
    end = find_signatures(bytes);
    if (end < 2 || end == bytes.length)
        return malformed(err, "it has no empty line with signatures behind");
    note->text = (struct dbk_slice){bytes.data, end - 1};
    return read_signatures((struct dbk_slice){bytes.data + end, bytes.length - end},
                           note, err);
}

/* What a witness signs: the time, and the text. Free it. */
static char *witnessed(struct dbk_slice text, uint64_t time, size_t *length)
{
    size_t size = text.length + 64;
    char *out = malloc(size);

    if (!out)
        return NULL;
    *length = (size_t)snprintf(out, size, "cosignature/v1\ntime %" PRIu64 "\n", time);
    memcpy(out + *length, text.data, text.length);
    *length += text.length;
    return out;
}

static bool verify(const uint8_t *signature, const void *text, size_t length,
                   const struct dbk_vkey *key)
{
    return crypto_sign_verify_detached(signature, text, length, key->public_key) == 0;
}

static bool verify_witness(struct dbk_slice text,
                           const struct dbk_note_signature *signature,
                           const struct dbk_vkey *key, uint64_t *time)
{
    size_t length;
    char *message;
    bool right;

    if (signature->length != TIME_BYTES + crypto_sign_BYTES)
        return false;
    memcpy(time, signature->bytes, sizeof *time);
    *time = be64toh(*time);
    if (*time > INT64_MAX) /* others refuse the whole note for it */
        return false;
    message = witnessed(text, *time, &length);
    if (!message)
        return false;
    right = verify(signature->bytes + TIME_BYTES, message, length, key);
    free(message);
    return right;
}

static bool verify_one(const struct dbk_note *note,
                       const struct dbk_note_signature *signature,
                       const struct dbk_vkey *key, uint64_t *time)
{
    *time = 0;
    if (key->type == DBK_KEY_WITNESS)
        return verify_witness(note->text, signature, key, time);
    return signature->length == crypto_sign_BYTES &&
           verify(signature->bytes, note->text.data, note->text.length, key);
}

enum dbk_code dbk_note_verify(const struct dbk_note *note, const struct dbk_vkey *key,
                              uint64_t *time, struct dbk_error *err)
{
    bool found = false;
    uint64_t when, latest = 0;

    for (size_t i = 0; i < note->count; i++) {
        const struct dbk_note_signature *one = &note->signatures[i];

        if (!dbk_slice_equal(one->name, dbk_slice(key->name)) ||
            memcmp(one->id, key->id, sizeof key->id) != 0)
            continue;
        if (!verify_one(note, one, key, &when))
            return dbk_fail(err, DBK_INVALID, "the signature of %s is wrong",
                            key->name);
        found = true;
        latest = when > latest ? when : latest;
    }
    if (!found)
        return dbk_fail(err, DBK_NOT_FOUND, "%s has not signed it", key->name);
    if (time)
        *time = latest;
    return DBK_OK;
}

static void sign(const void *text, size_t length, const struct dbk_skey *key,
                 uint8_t out[crypto_sign_BYTES])
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];

    crypto_sign_seed_keypair(public_key, secret, key->seed);
    crypto_sign_detached(out, NULL, text, length, secret);
    sodium_memzero(secret, sizeof secret);
}

size_t dbk_note_sign(struct dbk_slice text, const struct dbk_skey *key, uint64_t time,
                     char out[DBK_NOTE_LINE + 1])
{
    uint8_t bytes[DBK_NOTE_ID + TIME_BYTES + crypto_sign_BYTES];
    const uint64_t big = htobe64(time);
    size_t used = DBK_NOTE_ID, length;

    memcpy(bytes, key->vkey.id, DBK_NOTE_ID);
    if (key->vkey.type == DBK_KEY_WITNESS) {
        char *message = witnessed(text, time, &length);

        memcpy(bytes + used, &big, TIME_BYTES);
        used += TIME_BYTES;
        out[0] = '\0';
        if (!message)
            return 0;
        sign(message, length, key, bytes + used);
        free(message);
    } else {
        sign(text.data, text.length, key, bytes + used);
    }
    used += crypto_sign_BYTES;
    length = (size_t)sprintf(out, DASH "%s ", key->vkey.name);
    length += base64_write(bytes, used, out + length);
    out[length++] = '\n';
    out[length] = '\0';
    return length;
}
