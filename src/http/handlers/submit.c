#include "submit.h"

#include "holder.h"
#include "receipt.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>

#define KEY_MAX 255 /* characters of an Idempotency-Key */

void submit_meta(const struct request *rq, struct dbk_record *draft)
{
    draft->request_id = dbk_slice(rq->id);
    draft->actor = dbk_slice(rq->actor);
    draft->source = dbk_slice("rest");
    draft->traceparent = dbk_slice(rq->traceparent);
}

/* The command is new, or could not be had. */
static struct dbk_command *add_drafts(struct dbk_command *command,
                                      const struct dbk_record *drafts, size_t count,
                                      struct dbk_error *err)
{
    if (!command) {
        dbk_fail(err, DBK_NO_MEMORY, "no memory for a command");
        return NULL;
    }
    for (size_t i = 0; i < count; i++) {
        if (dbk_command_add(command, &drafts[i], err) != DBK_OK) {
            dbk_command_destroy(command);
            return NULL;
        }
    }
    return command;
}

struct dbk_command *submit_drafts(const struct dbk_record *drafts, size_t count,
                                  struct dbk_error *err)
{
    return add_drafts(dbk_command_create(), drafts, count, err);
}

struct dbk_command *submit_draft_in(struct dbk_command_block *block,
                                    const struct dbk_record *draft,
                                    struct dbk_error *err)
{
    return add_drafts(dbk_command_block_take(block), draft, 1, err);
}

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

/* A key belongs to the token that brings it: two clients may well choose the same one. */
static void hash_key(const struct request *rq, const char *key, size_t length,
                     struct dbk_idempotency *out)
{
    crypto_hash_sha256_state state;

    crypto_hash_sha256_init(&state);
    hash_text(&state, rq->actor);
    crypto_hash_sha256_update(&state, (const unsigned char *)key, length);
    crypto_hash_sha256_final(&state, out->key);
    crypto_hash_sha256(out->former, (const unsigned char *)key, length);
    out->has_former = true;
    out->actor = dbk_slice(rq->actor);
}

/* *there tells whether the request has a key; *out then is its hash, with the hash of
 * method, path and body. */
static enum dbk_code read_key(const struct request *rq, struct dbk_idempotency *out,
                              bool *there, struct dbk_error *err)
{
    const char *key = request_header(rq, "Idempotency-Key");
    size_t length = key ? length_of(key) : 0;

    *there = key != NULL;
    if (!key)
        return DBK_OK;
    if (length == 0 || length > KEY_MAX || !printable(key, length))
        return dbk_fail(err, DBK_INVALID,
                        "Idempotency-Key: 1 to %d printable characters are needed",
                        KEY_MAX);
    hash_key(rq, key, length, out);
    hash_request(rq, out->request);
    out->keep_us = rq->service->options.idempotency_keep_us;
    return DBK_OK;
}

/* A UUID of version 8 (RFC 9562, section 5.8). */
static void make_uuid(const uint8_t hash[32], struct dbk_uuid *id)
{
    memcpy(id->bytes, hash, sizeof id->bytes);
    id->bytes[6] = (uint8_t)((id->bytes[6] & 0x0F) | 0x80);
    id->bytes[8] = (uint8_t)((id->bytes[8] & 0x3F) | 0x80);
}

enum dbk_code submit_ids_begin(const struct request *rq, struct submit_ids *ids,
                               struct dbk_error *err)
{
    struct dbk_idempotency key;
    bool there;

    ids->keyed = false;
    if (!request_only_ingests(rq))
        return DBK_OK;
    if (read_key(rq, &key, &there, err) != DBK_OK)
        return err->code;
    ids->keyed = there;
    if (!there)
        return DBK_OK;
    memcpy(ids->seed, key.key, sizeof key.key);
    memcpy(ids->seed + sizeof key.key, key.request, sizeof key.request);
    return DBK_OK;
}

void submit_ids_make(const struct submit_ids *ids, uint64_t index, struct dbk_uuid *id)
{
    crypto_hash_sha256_state state;
    uint8_t hash[32];

    if (!ids->keyed)
        return;
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, ids->seed, sizeof ids->seed);
    crypto_hash_sha256_update(&state, (const unsigned char *)&index, sizeof index);
    crypto_hash_sha256_final(&state, hash);
    make_uuid(hash, id);
}

enum dbk_code submit_keyed(struct request *rq, struct response *rs,
                           struct dbk_command *const *commands, size_t count,
                           bool *replayed, struct dbk_error *err)
{
    struct dbk_idempotency key;
    enum dbk_code code;
    bool there;

    *replayed = false;
    if (read_key(rq, &key, &there, err) != DBK_OK)
        return err->code;
    there = there && !request_only_ingests(rq); /* it has made the ids */
    code = dbk_log_submit(rq->service->log, commands, count, there ? &key : NULL,
                          replayed, err);
    rq->submitted = count > 0;
    if (code == DBK_KEY_REUSED)
        return dbk_fail(
            err, DBK_KEY_REUSED,
            "This idempotency key was used with another body: send the same request "
            "again as it was, byte for byte, or another one with another "
            "Idempotency-Key");
    if (code != DBK_OK)
        return code;
    if (*replayed)
        response_header(rs, "Idempotency-Replayed", "true");
    return DBK_OK;
}

enum dbk_code submit_accept(struct request *rq, struct response *rs,
                            const struct dbk_command *command, struct dbk_error *err)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(command);

    if (verdict->code != DBK_OK) {
        *err = verdict->error;
        holder_tell(rq, command, &rq->fields);
        if (rq->fields.count > 0) /* else its answer does that */
            err->text[0] = (char)toupper((unsigned char)err->text[0]);
        return verdict->code;
    }
    if (verdict->first_sequence > 0)
        rs->sequence = verdict->sequence;
    response_header_number(rs, "Daybook-Sequence", verdict->sequence);
    receipt_of(rq, rs, verdict->first_sequence, verdict->sequence);
    return DBK_OK;
}

enum dbk_code submit_plain(struct request *rq, struct response *rs,
                           struct dbk_command *command, struct dbk_error *err)
{
    enum dbk_code code = dbk_log_submit(rq->service->log, &command, 1, NULL, NULL, err);

    rq->submitted = true;
    return code == DBK_OK ? submit_accept(rq, rs, command, err) : code;
}
