#include "audit_held.h"

#include "audit_file.h"
#include "escape.h"
#include "store/proof/notary.h"
#include "tool_data.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_MAX = 64 };

#define ALL_THE_SAME "; --no-checkpoint takes it all the same"

struct held_one {
    const char *from; /* borrowed */
    bool came;        /* along, in that; else it is a path */
    char name[256];   /* of it, for what is told */
    struct dbk_log_checkpoint is;
    bool verified; /* signed by a key that is known */
    bool holds;    /* else it was not held against it */
};

struct audit_held {
    bool off;    /* --no-checkpoint */
    bool given;  /* --vkey: who has not signed is not believed */
    char *paths; /* of --checkpoint; owned */
    struct audit_keys keys;
    uint64_t head; /* of the log */
    size_t count;
    struct held_one list[HELD_MAX];
};

/* One that a known key of its name has not signed is not to be believed; nor, with --vkey,
 * one of another name. */
static enum dbk_code verify(const struct audit_held *held, struct dbk_slice note,
                            struct held_one *one, struct dbk_error *err)
{
    struct dbk_log_checkpoint is;
    struct dbk_error why;
    bool named = false;

    for (size_t i = 0; i < held->keys.count; i++) {
        switch (dbk_log_checkpoint_open(note, &held->keys.keys[i], &is, NULL, &why)) {
        case DBK_OK:
            one->verified = true;
            return DBK_OK;
        case DBK_CONFLICT: /* of another log */
            break;
        case DBK_NOT_FOUND: /* perhaps another key of the same name has */
            named = true;
            break;
        default:
            return dbk_fail(err, DBK_DAMAGED, "%s: %s", one->name, why.text);
        }
    }
    if (!named && !held->given)
        return DBK_OK;
    return dbk_fail(err, DBK_DAMAGED, "%s: it is signed by %s", one->name,
                    held->given ? "none of --vkey"
                                : "no key that ever signed under its name here "
                                  "(audit/keys.pub)");
}

static enum dbk_code add(struct audit_held *held, const char *from, bool came,
                         struct dbk_slice note, struct dbk_error *err)
{
    struct held_one *one = &held->list[held->count];

    if (held->count == HELD_MAX)
        return dbk_fail(err, DBK_INVALID, "more than %d checkpoints", HELD_MAX);
    *one = (struct held_one){.from = from, .came = came};
    snprintf(one->name, sizeof one->name, came ? "the checkpoint in the %s" : "%s",
             from);
    if (audit_checkpoint_parse(note, &one->is, err) != DBK_OK)
        return dbk_wrap(err, "%s", one->name);
    held->count++;
    return held->off ? DBK_OK : verify(held, note, one, err);
}

enum dbk_code audit_held_add(struct audit_held *held, const char *from,
                             struct dbk_slice note, struct dbk_error *err)
{
    enum dbk_code code = add(held, from, true, note, err);

    if (code == DBK_OK || code == DBK_NO_MEMORY)
        return code;
    if (held->off) /* whatever it is */
        return DBK_OK;
    return dbk_fail(err, DBK_DAMAGED, "%.500s" ALL_THE_SAME, err->text);
}

enum dbk_code audit_held_expect(const struct audit_held *held, struct dbk_error *err)
{
    if (!held->given || held->count > 0)
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID,
                    "--vkey, but no checkpoint came along that the key could have "
                    "signed: give one (--checkpoint)");
}

static enum dbk_code add_file(struct audit_held *held, const char *path,
                              struct dbk_error *err)
{
    size_t length;
    char *bytes;
    enum dbk_code code = audit_file_read(path, &bytes, &length, err);

    if (code == DBK_OK)
        code = add(held, path, false, (struct dbk_slice){bytes, length}, err);
    free(bytes);
    return code;
}

/* The option came several times: joined by commas. */
static enum dbk_code add_files(struct audit_held *held, const char *given,
                               struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    char *rest = NULL;

    held->paths = strdup(given);
    if (!held->paths)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read checkpoints");
    if (!given[strspn(given, ",")]) /* a variable that was not set, say */
        return dbk_fail(err, DBK_INVALID, "--checkpoint is empty: name a file");
    for (char *one = strtok_r(held->paths, ",", &rest); one && code == DBK_OK;
         one = strtok_r(NULL, ",", &rest))
        code = add_file(held, one, err);
    return code;
}

/* A directory that is to be filled may know nothing yet. */
static void read_own_keys(const struct tool *tool, struct audit_keys *keys)
{
    char dir[4096];

    if (!tool_audit_dir(tool->config, dir, sizeof dir, NULL) ||
        dbk_audit_keys(dir, keys->keys, AUDIT_KEYS_MAX, &keys->count, NULL) != DBK_OK)
        keys->count = 0;
}

enum dbk_code audit_held_begin(const struct tool *tool, struct audit_held **out,
                               struct dbk_error *err)
{
    const char *vkey = tool_value(tool, "--vkey");
    const char *checkpoints = tool_value(tool, "--checkpoint");
    struct audit_held *held = *out = calloc(1, sizeof *held);

    if (!held)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for checkpoints");
    held->off = tool_has(tool, "--no-checkpoint");
    held->given = vkey != NULL;
    if (held->off && (vkey || checkpoints))
        return dbk_fail(err, DBK_INVALID,
                        "--no-checkpoint, and --checkpoint or --vkey, exclude each "
                        "other");
    if (!vkey)
        read_own_keys(tool, &held->keys);
    else if (audit_keys_parse(vkey, &held->keys, err) != DBK_OK)
        return dbk_wrap(err, "--vkey");
    return checkpoints ? add_files(held, checkpoints, err) : DBK_OK;
}

void audit_held_destroy(struct audit_held *held)
{
    if (!held)
        return;
    free(held->paths);
    free(held);
}

/* Its root, where the log has as many records. */
static enum dbk_code check_one(struct held_one *one, struct dbk_tree *tree,
                               uint64_t head, bool part, struct dbk_error *err)
{
    const struct dbk_log_checkpoint *is = &one->is;
    struct dbk_hash root;

    if (is->size > head && part && one->came)
        return DBK_OK;
    if (is->size > head && part)
        return dbk_fail(err, DBK_INVALID,
                        "%s is of %" PRIu64 " records, and --to ends at %" PRIu64
                        ": it cannot be held against them",
                        one->name, is->size, head);
    if (is->size > head)
        return dbk_fail(err, DBK_DAMAGED,
                        "%s: %.160s signed %" PRIu64 " records, and there are %" PRIu64
                        ": its end is missing, take another copy" ALL_THE_SAME,
                        one->name, is->origin, is->size, head);
    if (dbk_tree_root(tree, is->size, &root, err) != DBK_OK)
        return err->code;
    one->holds = dbk_hash_equal(&root, &is->root);
    if (one->holds)
        return DBK_OK;
    return dbk_fail(err, DBK_DAMAGED,
                    "%s: the first %" PRIu64
                    " records are not those that %.160s signed: "
                    "take another copy, or find out by daybook audit verify --against "
                    "an older one where they differ" ALL_THE_SAME,
                    one->name, is->size, is->origin);
}

static enum dbk_code check_all(struct audit_held *held, struct dbk_log *log, bool part,
                               struct progress *progress, struct dbk_error *err)
{
    const struct dbk_tree_source source = dbk_tree_of_log(log);
    const struct dbk_watch watch = progress_watch(progress, NULL);
    uint64_t size = 0;
    struct dbk_tree *tree = NULL;
    enum dbk_code code = dbk_log_head(log, &held->head, err);

    if (code == DBK_OK)
        code = dbk_tree_create(&source, &tree, err);
    for (size_t i = 0; i < held->count; i++) {
        if (held->list[i].is.size <= held->head && held->list[i].is.size > size)
            size = held->list[i].is.size;
    }
    if (code == DBK_OK)
        code = dbk_tree_grow(tree, size, &watch, err);
    for (size_t i = 0; i < held->count && code == DBK_OK; i++)
        code = check_one(&held->list[i], tree, held->head, part, err);
    progress_clear(progress);
    dbk_tree_destroy(tree);
    return code;
}

enum dbk_code audit_held_check(struct audit_held *held, const char *dir, bool part,
                               struct progress *progress, struct dbk_error *err)
{
    const struct dbk_log_options options = {.read_only = true};
    struct dbk_log *log;
    enum dbk_code code;

    if (held->off || held->count == 0)
        return DBK_OK;
    code = dbk_log_open(dir, &options, &log, err);
    if (code != DBK_OK)
        return code;
    code = check_all(held, log, part, progress, err);
    dbk_log_close(log);
    return code;
}

static const char *signer(const struct audit_held *held, const struct held_one *one)
{
    if (!one->verified)
        return NULL;
    return held->given ? "--vkey" : "audit/keys.pub";
}

static void print_one(const struct audit_held *held, const struct held_one *one)
{
    const char *by = signer(held, one);

    fputs("checkpoint    ", stdout);
    escape_plain(stdout, dbk_slice(one->came ? one->name + strlen("the checkpoint ")
                                             : one->from));
    printf(one->holds ? ": the first %" PRIu64 " records are those that "
                      : ": of %" PRIu64 " records, by ",
           one->is.size);
    escape_plain(stdout, dbk_slice(one->is.origin));
    if (one->holds)
        puts(" signed");
    else if (held->off)
        puts("; NOT held against it");
    else
        printf("; NOT held against the %" PRIu64 " here\n", held->head);
    if (held->off)
        return;
    if (by)
        printf("signature     right, by a key of %s\n", by);
    else
        puts("signature     NOT checked: no key of that name is known here (--vkey)");
}

void audit_held_print(const struct audit_held *held)
{
    for (size_t i = 0; i < held->count; i++)
        print_one(held, &held->list[i]);
}

void audit_held_print_json(const struct audit_held *held)
{
    fputs(",\"checkpoints\":[", stdout);
    for (size_t i = 0; i < held->count; i++) {
        const struct held_one *one = &held->list[i];
        const char *by = signer(held, one);

        fputs(i ? ",{\"from\":" : "{\"from\":", stdout);
        escape_string(stdout, one->from);
        fputs(",\"origin\":", stdout);
        escape_string(stdout, one->is.origin);
        printf(",\"records\":%" PRIu64 ",\"holds\":%s,\"key\":", one->is.size,
               one->holds ? "true" : "null");
        if (by)
            escape_string(stdout, by);
        else
            fputs("null", stdout);
        putchar('}');
    }
    putchar(']');
}
