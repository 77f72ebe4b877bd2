/* daybook person verify: whether a receipt holds, by the log's key alone. */
#include "audit_file.h"
#include "http/erasure_json.h"
#include "person_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The entry is what others find the record by. */
static bool is_entry(const struct dbk_erasure_claim *claim)
{
    char digits[2 * DBK_HASH_BYTES + 1];
    struct dbk_hash entry;

    dbk_hash_entry(claim->record.data, claim->record.length, &entry);
    for (size_t i = 0; i < DBK_HASH_BYTES; i++)
        snprintf(digits + 2 * i, 3, "%02x", (unsigned)entry.bytes[i]);
    return dbk_slice_equal(dbk_slice(digits), claim->entry);
}

/* The record says what the receipt does. */
static enum dbk_code check_record(const struct dbk_erasure_claim *claim,
                                  struct dbk_error *err)
{
    char id[DBK_UUID_TEXT + 1], at[DBK_TIMESTAMP_TEXT + 1];
    struct dbk_record record;

    if (dbk_record_decode(claim->record.data, claim->record.length, &record, err) !=
        DBK_OK)
        return err->code;
    dbk_uuid_format(&record.subject, id);
    dbk_timestamp_format(record.recorded_at, at);
    if (record.type != DBK_PERSON_ERASED || record.sequence != claim->sequence ||
        record.keys.length / sizeof(uint64_t) != claim->keys ||
        !dbk_slice_equal(dbk_slice(id), claim->person_id) ||
        claim->erased_at.length < strlen(at) || /* a Z may be behind it */
        memcmp(claim->erased_at.data, at, strlen(at)) != 0)
        return dbk_fail(err, DBK_DAMAGED,
                        "the record in it is of another person, time or sequence than "
                        "it says");
    if (!is_entry(claim))
        return dbk_fail(err, DBK_DAMAGED, "its entry is not the hash of its record");
    return DBK_OK;
}

static enum dbk_code check_path(const struct dbk_erasure_claim *claim,
                                const struct dbk_log_proof *proof,
                                const struct dbk_log_checkpoint *is,
                                struct dbk_error *err)
{
    struct dbk_hash entry;

    dbk_hash_entry(claim->record.data, claim->record.length, &entry);
    if (proof->index + 1 != claim->sequence ||
        !dbk_proof_includes(&proof->path, &entry, proof->index, is->size, &is->root))
        return dbk_fail(err, DBK_DAMAGED,
                        "its record is not where its proof says, in the log %.160s",
                        is->origin);
    return DBK_OK;
}

static void tell(const struct dbk_erasure_claim *claim,
                 const struct dbk_log_checkpoint *is)
{
    printf("%.*s was erased at %.*s, by record %" PRIu64
           " of %s; a checkpoint of %" PRIu64 " records proves it\n",
           (int)claim->person_id.length, claim->person_id.data,
           (int)claim->erased_at.length, claim->erased_at.data, claim->sequence,
           is->origin, is->size);
}

static enum dbk_code check_proof(const struct audit_keys *keys,
                                 const struct dbk_erasure_claim *claim,
                                 struct dbk_error *err)
{
    struct audit_checkpoint *checkpoint = calloc(1, sizeof *checkpoint);
    struct dbk_log_proof *proof = calloc(1, sizeof *proof);
    enum dbk_code code = DBK_OK;
    char *note = NULL;

    if (!checkpoint || !proof)
        code = dbk_fail(err, DBK_NO_MEMORY, "no memory for a proof");
    if (code == DBK_OK)
        code = dbk_log_proof_parse(claim->proof, proof, err);
    if (code == DBK_OK) {
        note = strndup(proof->checkpoint.data, proof->checkpoint.length);
        code = note ? audit_checkpoint_take(keys, "its checkpoint", note,
                                            proof->checkpoint.length, checkpoint, err)
                    : dbk_fail(err, DBK_NO_MEMORY, "no memory for a proof");
    }
    if (code == DBK_OK)
        code = check_path(claim, proof, &checkpoint->is, err);
    if (code == DBK_OK)
        tell(claim, &checkpoint->is);
    free(note);
    free(proof);
    free(checkpoint);
    return code;
}

static enum dbk_code verify(const struct audit_keys *keys, const char *text,
                            size_t length, char *room, struct dbk_error *err)
{
    struct dbk_erasure_claim claim;

    if (dbk_erasure_json_read(text, length, room, &claim, err) != DBK_OK ||
        check_record(&claim, err) != DBK_OK)
        return err->code;
    if (claim.proof.length == 0)
        return dbk_fail(err, DBK_UNAVAILABLE,
                        "it has no proof: its log was not signed, or not yet; ask for "
                        "the receipt again");
    return check_proof(keys, &claim, err);
}

enum tool_exit person_verify(const struct tool *tool)
{
    struct audit_keys *keys = calloc(1, sizeof *keys);
    struct dbk_error err = {.code = DBK_NO_MEMORY, .text = "no memory for a receipt"};
    char *text = NULL, *room = NULL;
    enum dbk_code code = DBK_NO_MEMORY;
    enum tool_exit exit = TOOL_FAILED;
    size_t length;

    if (keys)
        code = audit_keys_read(tool, keys, &err);
    if (code == DBK_OK)
        code = audit_file_read(tool->operands[1], &text, &length, &err);
    if (code == DBK_OK && !(room = malloc(2 * length + 1)))
        code = dbk_fail(&err, DBK_NO_MEMORY, "no memory for a receipt");
    if (code == DBK_OK) {
        code = verify(keys, text, length, room, &err);
        exit = code == DBK_NO_MEMORY || code == DBK_UNAVAILABLE ? TOOL_FAILED
                                                                : TOOL_DIFFERENT;
        if (code != DBK_OK)
            dbk_wrap(&err, "%.160s", tool->operands[1]);
    }
    free(room);
    free(text);
    if (keys)
        audit_keys_finish(keys);
    free(keys);
    if (code == DBK_OK)
        return TOOL_DONE;
    tool_fail(tool, &err);
    return exit;
}
