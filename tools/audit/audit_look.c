#include "audit_look.h"

#include "store/proof/notary.h"
#include "tool_data.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { KEYS_MAX = 8, HASHED_MAX = 1 << 20 }; /* records that a look may cost */

/* The newest checkpoint, by whichever of the keys signed it. */
static enum dbk_code read_last(const char *dir, struct dbk_signed_checkpoint *last,
                               struct dbk_error *err)
{
    struct dbk_vkey keys[KEYS_MAX];
    size_t count;
    enum dbk_code code = dbk_audit_keys(dir, keys, KEYS_MAX, &count, err);

    if (code != DBK_OK)
        return code;
    code = dbk_fail(err, DBK_DAMAGED, "%s/keys.pub has no key", dir);
    while (code != DBK_OK && count-- > 0)
        code = dbk_audit_last(dir, &keys[count], last, err);
    return code == DBK_NOT_FOUND ? dbk_fail(err, DBK_DAMAGED,
                                            "%s/last is lost, and nothing is signed "
                                            "without: put a copy back",
                                            dir)
                                 : code;
}

/* DBK_DAMAGED: it is another. */
static enum dbk_code check_root(struct dbk_tree *tree,
                                const struct dbk_log_checkpoint *last,
                                struct dbk_error *err)
{
    struct dbk_hash root;
    enum dbk_code code = DBK_UNSUPPORTED; /* too long to look */

    if (dbk_tree_size(tree) + HASHED_MAX >= last->size)
        code = dbk_tree_grow(tree, last->size, NULL, err);
    if (code == DBK_OK)
        code = dbk_tree_root(tree, last->size, &root, err);
    if (code == DBK_OK && !dbk_hash_equal(&root, &last->root))
        code = DBK_DAMAGED;
    return code;
}

static bool is_other(struct dbk_log *log, const char *dir,
                     const struct dbk_log_checkpoint *last)
{
    const struct dbk_tree_source source = dbk_tree_of_log(log);
    char path[DBK_AUDIT_PATH];
    struct dbk_tree *tree;
    enum dbk_code code;

    if (dbk_tree_create(&source, &tree, NULL) != DBK_OK)
        return false;
    if (dbk_audit_path(dir, "tree", path))
        dbk_tree_load(tree, path, NULL);
    code = check_root(tree, last, NULL);
    if (code == DBK_DAMAGED) { /* the file may be what is wrong */
        dbk_tree_clear(tree);
        code = check_root(tree, last, NULL);
    }
    dbk_tree_destroy(tree);
    return code == DBK_DAMAGED;
}

static void look(const char *dir, struct dbk_log *log, uint64_t head,
                 struct dbk_signed_checkpoint *last, struct audit_look *out)
{
    struct dbk_error err;
    struct stat status;
    char path[DBK_AUDIT_PATH];

    if (read_last(dir, last, &err) != DBK_OK) {
        snprintf(out->error, sizeof out->error, "%s", err.text);
        return;
    }
    memcpy(out->origin, last->checkpoint.origin, sizeof out->origin);
    out->size = last->checkpoint.size;
    if (dbk_audit_path(dir, "last", path) && stat(path, &status) == 0)
        out->at = (dbk_timestamp)status.st_mtim.tv_sec * 1000000 +
                  status.st_mtim.tv_nsec / 1000;
    if (head < out->size) /* signed since, maybe */
        dbk_log_head(log, &head, NULL);
    if (head < out->size)
        snprintf(out->error, sizeof out->error,
                 "the log has %" PRIu64 " records, and %" PRIu64
                 " were signed: it was put back to an earlier state",
                 head, out->size);
    else if (is_other(log, dir, &last->checkpoint))
        snprintf(out->error, sizeof out->error,
                 "the first %" PRIu64
                 " records are not those that were signed: daybook "
                 "audit verify tells more",
                 out->size);
}

static void look_at_witnesses(const char *dir, struct audit_look *out)
{
    if (dbk_witnesses_read(dir, &out->witnesses, NULL) != DBK_OK)
        out->witnesses.count = 0;
    for (size_t i = 0; i < out->witnesses.count; i++) {
        const struct dbk_witness_state *one = &out->witnesses.list[i];

        if (dbk_witness_is_alarm(one->verdict) && !*out->error)
            snprintf(out->error, sizeof out->error, "witness %.200s: %s", one->name,
                     one->why);
    }
}

static bool has(const char *dir, const char *name)
{
    char path[DBK_AUDIT_PATH];
    struct stat status;

    return dbk_audit_path(dir, name, path) && stat(path, &status) == 0;
}

void audit_look(const struct config *config, struct dbk_log *log, uint64_t head,
                struct audit_look *out)
{
    struct dbk_signed_checkpoint *last = malloc(sizeof *last);
    char dir[4096];

    *out = (struct audit_look){.found = false};
    if (last && tool_audit_dir(config, dir, sizeof dir, NULL) && has(dir, "keys.pub") &&
        (has(dir, "key") || has(dir, "last"))) { /* else killed while it began */
        out->found = true;
        look(dir, log, head, last, out);
        look_at_witnesses(dir, out);
    }
    free(last);
}
