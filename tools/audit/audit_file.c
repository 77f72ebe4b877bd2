#include "audit_file.h"

#include "store/durable.h"
#include "store/proof/notary.h"
#include "tool_data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 256 << 10 };

static enum dbk_code read_stream(FILE *file, const char *path, char **bytes,
                                 size_t *length, struct dbk_error *err)
{
    *bytes = malloc(FILE_MAX_BYTES);
    if (!*bytes)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read %s", path);
    *length = fread(*bytes, 1, FILE_MAX_BYTES - 1, file);
    if (ferror(file))
        return dbk_system_fail(err, "read", path);
    if (!feof(file) && fgetc(file) != EOF)
        return dbk_fail(err, DBK_TOO_LARGE, "%s is too large", path);
    (*bytes)[*length] = '\0';
    return DBK_OK;
}

enum dbk_code audit_file_read(const char *path, char **bytes, size_t *length,
                              struct dbk_error *err)
{
    FILE *file = strcmp(path, "-") ? fopen(path, "re") : stdin;
    enum dbk_code code;

    *bytes = NULL;
    if (!file)
        return dbk_fail(err, errno == ENOENT ? DBK_NOT_FOUND : DBK_IO, "%s: %s", path,
                        strerror(errno));
    code = read_stream(file, path, bytes, length, err);
    if (file != stdin)
        fclose(file);
    return code;
}

/* A line each; what is empty, or begins with #, is none. */
static enum dbk_code take_lines(char *text, struct audit_keys *keys,
                                struct dbk_error *err)
{
    char *rest = NULL;

    for (char *line = strtok_r(text, "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest)) {
        if (*line == '#')
            continue;
        if (keys->count == AUDIT_KEYS_MAX)
            return dbk_fail(err, DBK_TOO_LARGE, "more than %d keys", AUDIT_KEYS_MAX);
        if (dbk_vkey_parse(dbk_slice(line), &keys->keys[keys->count++], err) != DBK_OK)
            return err->code;
    }
    return keys->count > 0 ? DBK_OK : dbk_fail(err, DBK_INVALID, "no key");
}

enum dbk_code audit_keys_parse(const char *text, struct audit_keys *keys,
                               struct dbk_error *err)
{
    size_t length;
    char *bytes;
    enum dbk_code code;

    if (strchr(text, '+')) {
        keys->count = 1;
        return dbk_vkey_parse(dbk_slice(text), &keys->keys[0], err);
    }
    code = audit_file_read(text, &bytes, &length, err);
    if (code == DBK_OK && take_lines(bytes, keys, err) != DBK_OK)
        code = dbk_wrap(err, "%s", text);
    free(bytes);
    return code;
}

static enum dbk_code read_policy(const char *path, struct audit_keys *keys,
                                 struct dbk_error *err)
{
    size_t length;
    char *bytes;
    enum dbk_code code = audit_file_read(path, &bytes, &length, err);

    if (code == DBK_OK && dbk_policy_parse((struct dbk_slice){bytes, length},
                                           &keys->policy, err) != DBK_OK)
        code = dbk_wrap(err, "%s", path);
    free(bytes);
    return code;
}

enum dbk_code audit_keys_read(const struct tool *tool, struct audit_keys *keys,
                              struct dbk_error *err)
{
    const char *vkey = tool_value(tool, "--vkey"),
               *policy = tool_value(tool, "--policy");
    char dir[4096];

    memset(keys, 0, sizeof *keys);
    if (policy && read_policy(policy, keys, err) != DBK_OK)
        return err->code;
    if (vkey)
        return audit_keys_parse(vkey, keys, err) == DBK_OK ? DBK_OK
                                                           : dbk_wrap(err, "--vkey");
    if (keys->policy && keys->policy->log_count > 0)
        return DBK_OK;
    keys->own = true;
    if (!tool_audit_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    if (dbk_audit_keys(dir, keys->keys, AUDIT_KEYS_MAX, &keys->count, err) != DBK_OK)
        return dbk_wrap(err, "no --vkey was given");
    return DBK_OK;
}

void audit_keys_finish(struct audit_keys *keys)
{
    dbk_policy_destroy(keys->policy);
}

/* By any of them; what is told is of the last of the log's name. */
static enum dbk_code check(const struct audit_keys *keys, struct dbk_slice bytes,
                           struct audit_checkpoint *out, struct dbk_error *err)
{
    enum dbk_code code = DBK_CONFLICT;

    if (keys->policy && keys->policy->log_count > 0)
        return dbk_policy_open(keys->policy, NULL, bytes, &out->is, &out->witnesses,
                               err);
    dbk_fail(err, code, "no key is known that it could be signed by");
    for (size_t i = keys->count; i-- > 0;) {
        struct dbk_error why;
        enum dbk_code one =
            keys->policy
                ? dbk_policy_open(keys->policy, &keys->keys[i], bytes, &out->is,
                                  &out->witnesses, &why)
                : dbk_log_checkpoint_open(bytes, &keys->keys[i], &out->is, NULL, &why);

        if (one == DBK_OK || one == DBK_INVALID || one == DBK_UNSUPPORTED)
            return one == DBK_OK ? DBK_OK : dbk_fail(err, one, "%s", why.text);
        if (one != DBK_CONFLICT || code == DBK_CONFLICT) {
            code = one;
            *err = why;
        }
    }
    return code;
}

enum dbk_code audit_checkpoint_parse(struct dbk_slice bytes,
                                     struct dbk_log_checkpoint *out,
                                     struct dbk_error *err)
{
    struct dbk_note *note = malloc(sizeof *note);
    enum dbk_code code;

    if (!note)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read a checkpoint");
    code = dbk_note_parse(bytes, note, err);
    if (code == DBK_OK)
        code = dbk_log_checkpoint_parse(note->text, out, err);
    free(note);
    return code;
}

enum dbk_code audit_checkpoint_take(const struct audit_keys *keys, const char *name,
                                    char *text, size_t length,
                                    struct audit_checkpoint *out, struct dbk_error *err)
{
    memset(out, 0, sizeof *out);
    snprintf(out->path, sizeof out->path, "%s", name);
    out->text = text;
    out->length = length;
    return check(keys, (struct dbk_slice){text, length}, out, err) == DBK_OK
               ? DBK_OK
               : dbk_wrap(err, "%s", name);
}

enum dbk_code audit_checkpoint_read(const struct audit_keys *keys, const char *path,
                                    struct audit_checkpoint *out, struct dbk_error *err)
{
    size_t length;
    char *text;

    memset(out, 0, sizeof *out);
    if (audit_file_read(path, &text, &length, err) == DBK_OK)
        return audit_checkpoint_take(keys, path, text, length, out, err);
    free(text);
    return err->code;
}
