/* Checkpoints: as text, signed, and read back. */
#include "store/proof/checkpoint.h"

#include "base64.h"
#include "lines.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(BASE64_TEXT(DBK_HASH_BYTES) == DBK_HASH_TEXT, "a hash as text");
_Static_assert(DBK_CHECKPOINT_TEXT + 1 + DBK_NOTE_LINE <= DBK_SIGNED_MAX, "one signed");

void dbk_hash_format(const struct dbk_hash *hash, char out[DBK_HASH_TEXT + 1])
{
    base64_write(hash->bytes, sizeof hash->bytes, out);
}

bool dbk_hash_parse(struct dbk_slice text, struct dbk_hash *out)
{
    size_t length;

    return text.length == DBK_HASH_TEXT &&
           base64_read(text, out->bytes, sizeof out->bytes, &length) &&
           length == sizeof out->bytes;
}

size_t dbk_log_checkpoint_format(const struct dbk_log_checkpoint *checkpoint,
                                 char out[DBK_CHECKPOINT_TEXT + 1])
{
    char root[DBK_HASH_TEXT + 1];

    dbk_hash_format(&checkpoint->root, root);
    return (size_t)sprintf(out, "%s\n%" PRIu64 "\n%s\n", checkpoint->origin,
                           checkpoint->size, root);
}

enum dbk_code dbk_log_checkpoint_parse(struct dbk_slice text,
                                       struct dbk_log_checkpoint *checkpoint,
                                       struct dbk_error *err)
{
    struct dbk_slice origin, size, root;
    struct dbk_hash empty;

    memset(checkpoint, 0, sizeof *checkpoint);
    if (!lines_next(&text, &origin) || !dbk_note_name_valid(origin) ||
        !lines_next(&text, &size) ||
        !lines_number(size, INT64_MAX, &checkpoint->size) ||
        !lines_next(&text, &root) || !dbk_hash_parse(root, &checkpoint->root))
        return dbk_fail(err, DBK_INVALID,
                        "no checkpoint: it has not a log's name, a size and a root");
    if (text.length > 0)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "a checkpoint with more lines than are known");
    dbk_hash_empty(&empty);
    if (checkpoint->size == 0 && !dbk_hash_equal(&empty, &checkpoint->root))
        return dbk_fail(err, DBK_INVALID,
                        "no checkpoint: a log without records has another root");
    memcpy(checkpoint->origin, origin.data, origin.length);
    return DBK_OK;
}

void dbk_log_checkpoint_sign(const struct dbk_log_checkpoint *checkpoint,
                             const struct dbk_skey *key,
                             struct dbk_signed_checkpoint *out)
{
    size_t length = dbk_log_checkpoint_format(checkpoint, out->text);

    assert(!strcmp(checkpoint->origin, key->vkey.name) &&
           key->vkey.type == DBK_KEY_LOG);
    out->checkpoint = *checkpoint;
    out->text[length] = '\n';
    out->length = length + 1 +
                  dbk_note_sign((struct dbk_slice){out->text, length}, key, 0,
                                out->text + length + 1);
}

static enum dbk_code check(const struct dbk_note *note, const struct dbk_vkey *key,
                           struct dbk_log_checkpoint *checkpoint, struct dbk_error *err)
{
    enum dbk_code code = dbk_log_checkpoint_parse(note->text, checkpoint, err);

    if (code != DBK_OK)
        return code;
    if (strcmp(checkpoint->origin, key->name) != 0)
        return dbk_fail(err, DBK_CONFLICT, "a checkpoint of %.200s, not of %.200s",
                        checkpoint->origin, key->name);
    return dbk_note_verify(note, key, NULL, err);
}

enum dbk_code dbk_log_checkpoint_add(struct dbk_signed_checkpoint *checkpoint,
                                     const char *line, struct dbk_error *err)
{
    size_t length = strlen(line);

    if (length > DBK_SIGNED_MAX - checkpoint->length)
        return dbk_fail(err, DBK_TOO_LARGE, "a checkpoint of more than %zu bytes",
                        DBK_SIGNED_MAX);
    memcpy(checkpoint->text + checkpoint->length, line, length + 1);
    checkpoint->length += length;
    return DBK_OK;
}

enum dbk_code dbk_log_checkpoint_open(struct dbk_slice bytes,
                                      const struct dbk_vkey *key,
                                      struct dbk_log_checkpoint *checkpoint,
                                      struct dbk_note *note, struct dbk_error *err)
{
    struct dbk_note *own = note ? NULL : malloc(sizeof *own);
    enum dbk_code code;

    memset(checkpoint, 0, sizeof *checkpoint);
    if (!note && !own)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read a checkpoint");
    code = dbk_note_parse(bytes, note ? note : own, err);
    if (code == DBK_OK)
        code = check(note ? note : own, key, checkpoint, err);
    free(own);
    return code;
}
