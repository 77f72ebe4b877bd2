#include "receipt.h"

#include "fresh.h"
#include "json_base64.h"
#include "prefer.h"
#include "proof.h"
#include "store/proof/notary.h"
#include "withheld.h"
#include "worker.h"

#include <inttypes.h>
#include <sodium.h>

/* Records first to last. */
struct range {
    uint64_t first, last;
};

static bool is_wanted(const struct request *rq)
{
    struct dbk_slice value;

    return prefer_find(rq->head, "proof", &value) && !request_only_ingests(rq);
}

/* Until a checkpoint has the last of them. */
static bool wait_until_signed(struct request *rq, uint64_t last, struct dbk_error *err)
{
    int wait_ms = PROOF_WAIT_MS, seconds;

    if (fresh_prefer_wait(rq->head, &seconds))
        wait_ms = seconds * 1000;
    return proof_await(rq, last, wait_ms, err) == DBK_OK &&
           rq->worker->checkpoint.checkpoint.size >= last;
}

/* Of who is restricted only admins are told, so where it cannot be read of whom it is, too. Whose
 * an anonymous id is, only who may read is told: the bytes of its events tell it, and so do those
 * of their deletion. */
static bool may_have_bytes(const struct request *rq, const struct dbk_batch *batch)
{
    struct dbk_record record;

    if (dbk_batch_record(batch, 0, &record, NULL) != DBK_OK)
        return (rq->scopes & DBK_SCOPE_ADMIN) != 0;
    if (withheld_is(rq, dbk_record_person(&record)))
        return false;
    return request_may_read(rq) ||
           (record.type != DBK_EVENT_DELETED && record.anonymous_id.length == 0);
}

static bool render_record(const struct request *rq, const struct dbk_batch *batch,
                          struct dbk_render *out)
{
    const char *bytes = batch->bytes + batch->entries[0].offset;
    size_t length = batch->entries[0].length;
    char hex[2 * DBK_HASH_BYTES + 1];
    struct dbk_hash entry;

    if (length == 0)
        return false;
    dbk_hash_entry(bytes, length, &entry);
    sodium_bin2hex(hex, sizeof hex, entry.bytes, sizeof entry.bytes);
    dbk_render_named(out, ",\"entry\":", dbk_slice(hex));
    if (!may_have_bytes(rq, batch))
        return true;
    dbk_render_text(out, ",\"record\":");
    json_base64_render(out, (struct dbk_slice){bytes, length});
    return true;
}

/* {"sequence", "entry", "record", "proof"} */
static enum dbk_code render_one(struct request *rq, struct response *rs,
                                uint64_t sequence, struct dbk_batch *batch,
                                struct dbk_error *err)
{
    char *text = rq->worker->proof;
    struct dbk_render *out = &rs->proofs;
    size_t length;

    if (dbk_notary_proof(rq->service->options.notary, sequence, text, &length, err) !=
            DBK_OK ||
        dbk_log_read(rq->service->log, sequence - 1, 1, DBK_RECORD_MAX, batch, err) !=
            DBK_OK)
        return err->code;
    dbk_render_text(out, out->length > 0 ? ",{\"sequence\":" : "{\"sequence\":");
    dbk_render_number(out, sequence);
    if (batch->count == 0 || !render_record(rq, batch, out))
        return dbk_fail(err, DBK_DAMAGED, "record %" PRIu64 " cannot be read",
                        sequence);
    dbk_render_named(out, ",\"proof\":", (struct dbk_slice){text, length});
    dbk_render_text(out, "}");
    return dbk_render_code(out) == DBK_OK
               ? DBK_OK
               : dbk_fail(err, DBK_NO_MEMORY, "no memory for a proof");
}

static bool render_all(struct request *rq, struct response *rs,
                       const struct range *ranges, size_t count)
{
    struct dbk_batch batch = {0};
    enum dbk_code code = DBK_OK;
    uint64_t last = 0;
    struct dbk_error err;

    for (size_t i = 0; i < count; i++)
        last = ranges[i].last > last ? ranges[i].last : last;
    if (!wait_until_signed(rq, last, &err))
        return false;
    for (size_t i = 0; i < count && code == DBK_OK; i++) {
        for (uint64_t at = ranges[i].first; at <= ranges[i].last && code == DBK_OK;
             at++)
            code = render_one(rq, rs, at, &batch, &err);
    }
    dbk_batch_finish(&batch);
    if (code != DBK_OK)
        proof_failed(rq, &err);
    return code == DBK_OK;
}

/* The write is done, whatever becomes of this: nothing of it is told as its failure. */
static void give(struct request *rq, struct response *rs, const struct range *ranges,
                 size_t count)
{
    bool given = count > 0 && render_all(rq, rs, ranges, count);

    rq->unavailable = rq->unreadable = NULL;
    rq->retry_after = 0;
    if (!given)
        dbk_render_clear(&rs->proofs);
    response_header_text(rs, "Preference-Applied", given ? "proof" : "proof=none");
}

void receipt_of(struct request *rq, struct response *rs, uint64_t first, uint64_t last)
{
    const struct range range = {first, last};

    if (is_wanted(rq))
        give(rq, rs, &range, first > 0 && last - first < RECEIPT_MAX);
}

void receipt_of_batch(struct request *rq, struct response *rs,
                      struct dbk_command *const *commands, size_t count)
{
    struct range ranges[RECEIPT_MAX];
    uint64_t records = 0;
    size_t found = 0;

    if (!is_wanted(rq))
        return;
    for (size_t i = 0; i < count && records <= RECEIPT_MAX; i++) {
        const struct dbk_verdict *verdict = dbk_command_verdict(commands[i]);
        if (verdict->code != DBK_OK || verdict->first_sequence == 0)
            continue;
        records += verdict->sequence - verdict->first_sequence + 1;
        if (records <= RECEIPT_MAX)
            ranges[found++] =
                (struct range){verdict->first_sequence, verdict->sequence};
    }
    give(rq, rs, ranges, records <= RECEIPT_MAX ? found : 0);
}
