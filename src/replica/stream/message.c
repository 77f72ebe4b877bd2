#include "message.h"

#include "store/little_endian.h"

#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

enum { AT_CHECKSUM = 64, VERSION = 1, VERSION_KEYS = 2, FLAG_RESEEDS = 1 };

static const char magic[4] = {'D', 'B', 'K', 'C'};

static uint32_t checksum(const char *bytes, size_t length)
{
    static const char none[4];
    uint32_t crc = libdeflate_crc32(0, bytes, AT_CHECKSUM);

    crc = libdeflate_crc32(crc, none, sizeof none);
    return libdeflate_crc32(crc, bytes + MESSAGE_HEADER, length - MESSAGE_HEADER);
}

static char *put_slice(char *at, struct dbk_slice slice)
{
    if (slice.length > 0)
        memcpy(at, slice.data, slice.length);
    return at + slice.length;
}

static size_t keys_length(const struct message *message)
{
    return message->keys.length > 0 ? sizeof(uint32_t) + message->keys.length : 0;
}

static char *put_keys(char *at, struct dbk_slice keys)
{
    if (keys.length == 0)
        return at;
    dbk_put_le32(at, (uint32_t)keys.length);
    return put_slice(at + sizeof(uint32_t), keys);
}

enum dbk_code message_encode(const struct message *message, char **bytes,
                             size_t *length, struct dbk_error *err)
{
    char *out, *at;

    if (message->node.length > DBK_REPLICA_NAME_MAX ||
        message->url.length > DBK_REPLICA_URL_MAX ||
        message->body.length > MESSAGE_BODY_MAX ||
        message->keys.length > MESSAGE_MAX - MESSAGE_REST - message->body.length)
        return dbk_fail(err, DBK_TOO_LARGE,
                        "a message of %zu bytes is over the bound of %d",
                        message->body.length + message->keys.length, MESSAGE_BODY_MAX);
    *length = MESSAGE_HEADER + message->node.length + message->url.length +
              keys_length(message) + message->body.length;
    out = calloc(1, *length);
    if (!out)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a message");
    memcpy(out, magic, sizeof magic);
    out[4] = message->keys.length > 0 ? VERSION_KEYS : VERSION;
    out[5] = (char)message->type;
    out[6] = message->reseeds ? FLAG_RESEEDS : 0;
    dbk_put_le64(out + 8, (uint64_t)message->epoch);
    memcpy(out + 16, message->store_id.bytes, 16);
    dbk_put_le64(out + 32, message->first);
    dbk_put_le32(out + 40, message->count);
    dbk_put_le32(out + 44, message->before);
    dbk_put_le64(out + 48, (uint64_t)message->reseed);
    dbk_put_le32(out + 56, (uint32_t)message->node.length);
    dbk_put_le32(out + 60, (uint32_t)message->url.length);
    at = put_slice(put_slice(out + MESSAGE_HEADER, message->node), message->url);
    put_slice(put_keys(at, message->keys), message->body);
    dbk_put_le32(out + AT_CHECKSUM, checksum(out, *length));
    *bytes = out;
    return DBK_OK;
}

static enum dbk_code check_kind(const char *bytes, size_t length, struct dbk_error *err)
{
    if (length < MESSAGE_HEADER || memcmp(bytes, magic, sizeof magic) != 0)
        return dbk_fail(
            err, DBK_UNSUPPORTED,
            "it is no message of Daybook: another program writes here, too");
    if (bytes[4] != VERSION && bytes[4] != VERSION_KEYS)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "it is of version %u, and this program knows version %d: bring "
                        "Daybook up to date here",
                        (unsigned)(unsigned char)bytes[4], VERSION_KEYS);
    if (dbk_get_le32(bytes + AT_CHECKSUM) != checksum(bytes, length))
        return dbk_fail(err, DBK_DAMAGED, "its checksum is wrong");
    if (bytes[5] < MESSAGE_GENESIS || bytes[5] > MESSAGE_TOKENS)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "it is of type %u, which this program does not know: bring "
                        "Daybook up to date here",
                        (unsigned)(unsigned char)bytes[5]);
    return DBK_OK;
}

/* What a type promises; the checksum matches, so that a sender has written it so. */
static bool is_sound(const struct message *m)
{
    bool of_none = m->type == MESSAGE_GENESIS || m->type == MESSAGE_OPENING ||
                   m->type == MESSAGE_TOKENS;

    if (m->epoch < -1 || m->reseed < -1 || of_none != (m->epoch == -1))
        return false;
    if (m->keys.length > 0 && m->type != MESSAGE_BATCH && m->type != MESSAGE_GENESIS)
        return false;
    if (m->type == MESSAGE_BATCH)
        return m->first > 0 && m->first + m->count >= m->first;
    return m->count == 0;
}

/* Out of the body, before which they stand. */
static bool take_keys(struct message *message)
{
    struct dbk_slice *body = &message->body;
    size_t length;

    if (body->length < sizeof(uint32_t))
        return false;
    length = dbk_get_le32(body->data);
    if (length == 0 || length > body->length - sizeof(uint32_t))
        return false;
    message->keys = (struct dbk_slice){body->data + sizeof(uint32_t), length};
    body->data += sizeof(uint32_t) + length;
    body->length -= sizeof(uint32_t) + length;
    return true;
}

enum dbk_code message_decode(const char *bytes, size_t length, struct message *out,
                             struct dbk_error *err)
{
    size_t name, url;
    char version;

    if (check_kind(bytes, length, err) != DBK_OK)
        return err ? err->code : DBK_UNSUPPORTED;
    name = dbk_get_le32(bytes + 56);
    url = dbk_get_le32(bytes + 60);
    if (name > DBK_REPLICA_NAME_MAX || url > DBK_REPLICA_URL_MAX ||
        name + url > length - MESSAGE_HEADER)
        return dbk_fail(err, DBK_DAMAGED, "its names are longer than it is");
    *out = (struct message){.type = (enum message_type)bytes[5],
                            .reseeds = (bytes[6] & FLAG_RESEEDS) != 0,
                            .epoch = (int64_t)dbk_get_le64(bytes + 8),
                            .first = dbk_get_le64(bytes + 32),
                            .count = dbk_get_le32(bytes + 40),
                            .before = dbk_get_le32(bytes + 44),
                            .reseed = (int64_t)dbk_get_le64(bytes + 48)};
    memcpy(out->store_id.bytes, bytes + 16, 16);
    version = bytes[4];
    bytes += MESSAGE_HEADER;
    out->node = (struct dbk_slice){bytes, name};
    out->url = (struct dbk_slice){bytes + name, url};
    out->body =
        (struct dbk_slice){bytes + name + url, length - MESSAGE_HEADER - name - url};
    if (version == VERSION_KEYS && !take_keys(out))
        return dbk_fail(err, DBK_DAMAGED, "its keys are longer than it is");
    if (!is_sound(out))
        return dbk_fail(err, DBK_DAMAGED, "it contradicts itself");
    return DBK_OK;
}

bool message_is_of(const struct message *message, int64_t offset,
                   const struct dbk_uuid *store_id)
{
    return (message->type == MESSAGE_GENESIS && offset > 0) ||
           dbk_uuid_equal(&message->store_id, store_id);
}

const char *message_type_name(enum message_type type)
{
    static const char *const names[] = {
        [MESSAGE_GENESIS] = "genesis", [MESSAGE_OPENING] = "opening",
        [MESSAGE_BATCH] = "batch",     [MESSAGE_HAND_OVER] = "hand-over",
        [MESSAGE_TOKENS] = "tokens",
    };

    return names[type];
}
