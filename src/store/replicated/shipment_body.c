#include "shipment_body.h"

#include "store/little_endian.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_BYTES = 32, LENGTH_BYTES = 4 };
#define LEAST ((size_t)16 << 10)
#define KEPT_MOST ((size_t)1 << 20) /* of memory, until the next one */

static void clear(struct body_bytes *bytes)
{
    bytes->used = 0;
    if (bytes->size <= KEPT_MOST)
        return;
    free(bytes->bytes);
    *bytes = (struct body_bytes){.bytes = NULL};
}

void body_clear(struct shipment_body *body)
{
    clear(&body->records);
    clear(&body->keys);
    body->count = 0;
}

void body_finish(struct shipment_body *body)
{
    free(body->records.bytes);
    free(body->keys.bytes);
    memset(body, 0, sizeof *body);
}

static bool reserve(struct body_bytes *bytes, size_t more)
{
    size_t needed = bytes->used + more, size = bytes->size ? bytes->size : LEAST;
    char *grown;

    if (needed <= bytes->size)
        return true;
    while (size < needed)
        size *= 2;
    grown = realloc(bytes->bytes, size);
    if (!grown)
        return false;
    bytes->bytes = grown;
    bytes->size = size;
    return true;
}

static void put(struct body_bytes *bytes, const void *what, size_t length)
{
    assert(bytes->used + length <= bytes->size);
    memcpy(bytes->bytes + bytes->used, what, length);
    bytes->used += length;
}

static void put_length(struct body_bytes *bytes, size_t length)
{
    char number[LENGTH_BYTES];

    assert(length <= UINT32_MAX);
    dbk_put_le32(number, (uint32_t)length);
    put(bytes, number, sizeof number);
}

int body_add_record(struct shipment_body *body, const void *value, size_t size)
{
    if (!reserve(&body->records, LENGTH_BYTES + size))
        return ENOMEM;
    put_length(&body->records, size);
    put(&body->records, value, size);
    body->count++;
    return 0;
}

int body_add_key(struct shipment_body *body, const uint8_t key[32], const void *entry,
                 size_t size)
{
    if (!reserve(&body->keys, LENGTH_BYTES + KEY_BYTES + size))
        return ENOMEM;
    put_length(&body->keys, size);
    put(&body->keys, key, KEY_BYTES);
    put(&body->keys, entry, size);
    return 0;
}

bool body_join(struct shipment_body *body, struct dbk_slice *out)
{
    if (body->keys.used > 0) {
        if (!reserve(&body->records, body->keys.used))
            return false;
        put(&body->records, body->keys.bytes, body->keys.used);
        body->keys.used = 0;
    }
    *out = (struct dbk_slice){body->records.bytes, body->records.used};
    return true;
}

static bool take(struct body_walk *walk, size_t length, struct dbk_slice *out)
{
    if (walk->left < length)
        return false;
    *out = (struct dbk_slice){walk->at, length};
    walk->at += length;
    walk->left -= length;
    return true;
}

static bool take_length(struct body_walk *walk, size_t *out)
{
    struct dbk_slice bytes;

    if (!take(walk, LENGTH_BYTES, &bytes))
        return false;
    *out = dbk_get_le32(bytes.data);
    return true;
}

bool body_next_record(struct body_walk *walk, struct dbk_slice *value)
{
    size_t length;

    return take_length(walk, &length) && take(walk, length, value);
}

bool body_next_key(struct body_walk *walk, struct dbk_slice *key,
                   struct dbk_slice *entry)
{
    size_t length;

    return take_length(walk, &length) && take(walk, KEY_BYTES, key) &&
           take(walk, length, entry);
}
