/* What a log says to a witness, and what is made of its answer. Source: c2sp.org/tlog-witness. */
#include "store/proof/witness.h"

#include "lines.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASHES_MAX = 63 };

size_t dbk_witness_request(uint64_t old, const struct dbk_proof *proof,
                           const struct dbk_signed_checkpoint *checkpoint,
                           char out[DBK_WITNESS_REQUEST + 1])
{
    size_t length = (size_t)sprintf(out, "old %" PRIu64 "\n", old);

    if (proof->count > HASHES_MAX)
        return 0;
    for (size_t i = 0; i < proof->count; i++) {
        dbk_hash_format(&proof->hashes[i], out + length);
        length += DBK_HASH_TEXT;
        out[length++] = '\n';
    }
    out[length++] = '\n';
    memcpy(out + length, checkpoint->text, checkpoint->length);
    length += checkpoint->length;
    out[length] = '\0';
    return length;
}

static const char *const names[] = {
    [DBK_WITNESS_NOT_ASKED] = "not_asked",   [DBK_WITNESS_COSIGNED] = "cosigned",
    [DBK_WITNESS_OTHER_SIZE] = "other_size", [DBK_WITNESS_LATER] = "later",
    [DBK_WITNESS_UNKNOWN] = "unknown_log",   [DBK_WITNESS_KEY] = "unknown_key",
    [DBK_WITNESS_REFUSED] = "refused",       [DBK_WITNESS_ROLLED_BACK] = "rolled_back",
    [DBK_WITNESS_SPLIT] = "split",
};

const char *dbk_witness_verdict_name(enum dbk_witness_verdict verdict)
{
    return names[verdict];
}

bool dbk_witness_verdict_find(const char *name, enum dbk_witness_verdict *out)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        *out = (enum dbk_witness_verdict)i;
        if (!strcmp(names[i], name))
            return true;
    }
    return false;
}

bool dbk_witness_is_alarm(enum dbk_witness_verdict verdict)
{
    return verdict == DBK_WITNESS_ROLLED_BACK || verdict == DBK_WITNESS_SPLIT;
}

/* Of a body, what an operator may see: the first line, as far as it is printable ASCII. */
static void quote(struct dbk_slice body, char out[121])
{
    size_t used = 0;

    while (used < 120 && used < body.length && body.data[used] >= ' ' &&
           body.data[used] < 0x7F) {
        out[used] = body.data[used];
        used++;
    }
    out[used] = '\0';
}

static enum dbk_witness_verdict later(struct dbk_error *why, const char *text)
{
    dbk_fail(why, DBK_UNAVAILABLE, "%s", text);
    return DBK_WITNESS_LATER;
}

/* The checkpoint's text with what the witness has put under it, taken apart. The text must
 * be the one that was sent: a body with an empty line would make another of it. */
static enum dbk_code open_body(const struct dbk_signed_checkpoint *checkpoint,
                               struct dbk_slice body, char *bytes,
                               struct dbk_note *note, struct dbk_error *err)
{
    size_t length = dbk_log_checkpoint_format(&checkpoint->checkpoint, bytes);

    bytes[length] = '\n';
    memcpy(bytes + length + 1, body.data, body.length);
    if (dbk_note_parse((struct dbk_slice){bytes, length + 1 + body.length}, note,
                       err) != DBK_OK)
        return err->code;
    return note->text.length == length ? DBK_OK
                                       : dbk_fail(err, DBK_INVALID, "an empty line");
}

/* The line of its latest signature: all of its key are right. */
static enum dbk_code take_line(const struct dbk_note *note, const struct dbk_vkey *key,
                               char line[DBK_NOTE_LINE + 1], struct dbk_error *err)
{
    uint64_t latest;
    enum dbk_code code = dbk_note_verify(note, key, &latest, err);

    if (code != DBK_OK)
        return code;
    for (size_t i = 0; i < note->count; i++) {
        const struct dbk_note_signature *one = &note->signatures[i];
        uint64_t time = 0;

        if (!dbk_slice_equal(one->name, dbk_slice(key->name)) ||
            memcmp(one->id, key->id, sizeof key->id) != 0)
            continue;
        for (size_t k = 0; k < sizeof time; k++)
            time = time << 8 | one->bytes[k];
        if (time != latest || one->line.length > DBK_NOTE_LINE)
            continue;
        memcpy(line, one->line.data, one->line.length);
        line[one->line.length] = '\0';
        return DBK_OK;
    }
    return dbk_fail(err, DBK_INVALID, "its signature is not there");
}

static enum dbk_witness_verdict judge_lines(struct dbk_slice body,
                                            const struct dbk_signed_checkpoint *sent,
                                            const struct dbk_vkey *witness,
                                            char line[DBK_NOTE_LINE + 1],
                                            struct dbk_error *why)
{
    char *bytes = malloc(DBK_CHECKPOINT_TEXT + 2 + body.length);
    struct dbk_note *note = malloc(sizeof *note);
    struct dbk_error err;
    enum dbk_code code = DBK_NO_MEMORY;

    if (bytes && note) {
        code = open_body(sent, body, bytes, note, &err);
        if (code == DBK_OK)
            code = take_line(note, witness, line, &err);
    } else {
        dbk_fail(&err, code, "no memory");
    }
    free(bytes);
    free(note);
    if (code == DBK_OK)
        return DBK_WITNESS_COSIGNED;
    dbk_fail(why, DBK_INVALID, "it says 200, but that is not its signature: %.200s",
             err.text);
    return DBK_WITNESS_LATER;
}

/* One that knows another size must say which. */
static enum dbk_witness_verdict judge_size(const char *type, struct dbk_slice body,
                                           uint64_t old, uint64_t own, uint64_t *size,
                                           struct dbk_error *why)
{
    struct dbk_slice line;

    if (!type || strcmp(type, "text/x.tlog.size") != 0 || !lines_next(&body, &line) ||
        body.length > 0 || !lines_number(line, INT64_MAX, size))
        return later(why, "it says 409, but not by how many records it knows the log");
    if (*size > own) {
        dbk_fail(why, DBK_MOVED,
                 "it has signed this log with %" PRIu64 " records, and here are "
                 "%" PRIu64 ": the log was put back to an earlier state, or another "
                 "server signs by a copy of its key",
                 *size, own);
        return DBK_WITNESS_ROLLED_BACK;
    }
    if (*size == old)
        return later(why, "it contradicts itself: 409, and the size it was asked with");
    return DBK_WITNESS_OTHER_SIZE;
}

static enum dbk_witness_verdict judge_refusal(int status, struct dbk_slice body,
                                              struct dbk_error *why)
{
    char said[121];

    quote(body, said);
    switch (status) {
    case 422:
        dbk_fail(
            why, DBK_MOVED,
            "it has signed another history of this log (%s): records were changed, "
            "or another server signs by a copy of its key",
            said);
        return DBK_WITNESS_SPLIT;
    case 404:
        dbk_fail(why, DBK_NOT_FOUND,
                 "it does not know this log: give who runs it the vkey (daybook audit "
                 "vkey)");
        return DBK_WITNESS_UNKNOWN;
    case 403:
        dbk_fail(
            why, DBK_NOT_FOUND,
            "it does not know this key, or not this log: give who runs it the vkey "
            "(daybook audit vkey)");
        return DBK_WITNESS_KEY;
    case 400:
        dbk_fail(why, DBK_INTERNAL,
                 "it calls the request malformed (%s): please report that", said);
        return DBK_WITNESS_REFUSED;
    default:
        dbk_fail(why, DBK_UNAVAILABLE, "it says %d: %s", status, said);
        return DBK_WITNESS_LATER;
    }
}

enum dbk_witness_verdict
dbk_witness_judge(int status, const char *type, struct dbk_slice body, uint64_t old,
                  const struct dbk_signed_checkpoint *checkpoint,
                  const struct dbk_vkey *witness, char line[DBK_NOTE_LINE + 1],
                  uint64_t *size, struct dbk_error *why)
{
    if (body.length > DBK_WITNESS_ANSWER_MAX)
        return later(why, "it answers by more than 64 KiB");
    if (status == 200)
        return judge_lines(body, checkpoint, witness, line, why);
    if (status == 409)
        return judge_size(type, body, old, checkpoint->checkpoint.size, size, why);
    return judge_refusal(status, body, why);
}
