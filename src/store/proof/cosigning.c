/* What is kept of witnesses in the audit directory. */
#include "audit_dir.h"
#include "lines.h"
#include "store/durable.h"
#include "store/proof/witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD "daybook witnesses 1 at "

enum { LINE_MAX_BYTES = DBK_NOTE_NAME_MAX + 256 + 96 };
enum { FILE_MAX = 64 + DBK_POLICY_MAX * LINE_MAX_BYTES };

/* NAME VERDICT SINCE SIZE WHY; all but the last are words. */
static bool read_state(struct dbk_slice line, struct dbk_witness_state *out)
{
    struct dbk_slice words[5];
    char verdict[32];
    uint64_t since;

    for (size_t i = 0; i < 4; i++) {
        const char *space =
            line.length > 0 ? memchr(line.data, ' ', line.length) : NULL;

        if (!space)
            return false;
        words[i] = (struct dbk_slice){line.data, (size_t)(space - line.data)};
        line.length -= words[i].length + 1;
        line.data = space + 1;
    }
    words[4] = line;
    if (words[0].length >= sizeof out->name || words[1].length >= sizeof verdict ||
        words[4].length >= sizeof out->why ||
        !lines_number(words[2], INT64_MAX, &since) ||
        !lines_number(words[3], INT64_MAX, &out->size))
        return false;
    snprintf(out->name, sizeof out->name, "%.*s", (int)words[0].length, words[0].data);
    snprintf(out->why, sizeof out->why, "%.*s", (int)words[4].length,
             words[4].length > 0 ? words[4].data : "");
    snprintf(verdict, sizeof verdict, "%.*s", (int)words[1].length, words[1].data);
    out->since = (int64_t)since;
    return dbk_witness_verdict_find(verdict, &out->verdict);
}

static bool read_states(struct dbk_slice text, struct dbk_witnesses *out)
{
    const size_t head = sizeof HEAD - 1;
    struct dbk_slice line;
    uint64_t at;

    out->count = 0;
    if (!lines_next(&text, &line) || line.length < head ||
        memcmp(line.data, HEAD, head) != 0 ||
        !lines_number((struct dbk_slice){line.data + head, line.length - head},
                      INT64_MAX, &at))
        return false;
    out->at = (int64_t)at;
    while (lines_next(&text, &line)) {
        if (out->count == DBK_POLICY_MAX || !read_state(line, &out->list[out->count]))
            return false;
        out->count++;
    }
    return text.length == 0;
}

enum dbk_code dbk_witnesses_read(const char *dir, struct dbk_witnesses *out,
                                 struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH], *text = malloc(FILE_MAX);
    size_t length;
    enum dbk_code code;

    if (!text)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read of witnesses");
    code = audit_dir_path(dir, "witnesses", path, err);
    if (code == DBK_OK)
        code = audit_dir_read(path, text, FILE_MAX, &length, err);
    if (code == DBK_OK && !read_states((struct dbk_slice){text, length}, out))
        code = dbk_fail(err, DBK_DAMAGED, "%s is not what daybook audit cosign writes",
                        path);
    free(text);
    return code;
}

static size_t add_state(const struct dbk_witness_state *state, char *out)
{
    size_t length =
        (size_t)sprintf(out, "%s %s %" PRId64 " %" PRIu64 " %s", state->name,
                        dbk_witness_verdict_name(state->verdict), state->since,
                        state->size, state->why);

    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)out[i] < ' ')
            out[i] = ' ';
    }
    out[length++] = '\n';
    return length;
}

enum dbk_code dbk_witnesses_write(const char *dir,
                                  const struct dbk_witnesses *witnesses,
                                  struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH], *text = malloc(FILE_MAX);
    size_t length;
    enum dbk_code code;

    if (!text)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to write of witnesses");
    length = (size_t)sprintf(text, HEAD "%" PRId64 "\n", witnesses->at);
    for (size_t i = 0; i < witnesses->count; i++)
        length += add_state(&witnesses->list[i], text + length);
    code = audit_dir_path(dir, "witnesses", path, err);
    if (code == DBK_OK)
        code = dbk_write_file(path, 0600, text, length, err);
    free(text);
    return code;
}

enum dbk_code dbk_cosigned_read(const char *dir, const struct dbk_policy *policy,
                                const struct dbk_vkey *log,
                                struct dbk_signed_checkpoint *out,
                                struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH];
    struct dbk_error why;
    enum dbk_code code = audit_dir_path(dir, "cosigned", path, err);

    if (code == DBK_OK)
        code = audit_dir_read(path, out->text, sizeof out->text, &out->length, err);
    if (code != DBK_OK)
        return code;
    code = dbk_policy_open(policy, log, (struct dbk_slice){out->text, out->length},
                           &out->checkpoint, NULL, &why);
    if (code == DBK_OK && strcmp(out->checkpoint.origin, log->name) != 0)
        code = dbk_fail(&why, DBK_CONFLICT, "it is of %s", out->checkpoint.origin);
    if (code == DBK_CONFLICT)
        code = DBK_NOT_FOUND;
    else if (code != DBK_OK && code != DBK_NOT_FOUND && code != DBK_NO_MEMORY)
        code = DBK_DAMAGED;
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s: %s", path, why.text);
}

/* What is there and has more records is evidence, and not to be lost. */
static enum dbk_code check_place(const char *dir, const struct dbk_policy *policy,
                                 const struct dbk_vkey *log, uint64_t size,
                                 struct dbk_error *err)
{
    struct dbk_signed_checkpoint *there = malloc(sizeof *there);
    enum dbk_code code = DBK_OK;

    if (!there)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read a checkpoint");
    if (dbk_cosigned_read(dir, policy, log, there, NULL) == DBK_OK &&
        there->checkpoint.size > size)
        code = dbk_fail(err, DBK_MOVED,
                        "%s/cosigned has %" PRIu64 " records, and %" PRIu64
                        " are signed now: the log was put back to an earlier state",
                        dir, there->checkpoint.size, size);
    free(there);
    return code;
}

enum dbk_code dbk_cosigned_write(const char *dir, const struct dbk_policy *policy,
                                 const struct dbk_vkey *log,
                                 const struct dbk_signed_checkpoint *checkpoint,
                                 struct dbk_error *err)
{
    const struct dbk_slice note = {checkpoint->text, checkpoint->length};
    char path[DBK_AUDIT_PATH];
    struct dbk_log_checkpoint read;
    enum dbk_code code = dbk_policy_open(policy, log, note, &read, NULL, err);

    if (code == DBK_OK)
        code = check_place(dir, policy, log, read.size, err);
    if (code == DBK_OK)
        code = audit_dir_path(dir, "cosigned", path, err);
    if (code == DBK_OK)
        code = dbk_write_file(path, 0600, checkpoint->text, checkpoint->length, err);
    return code;
}
