#include "audit_verify.h"

#include "audit_source.h"
#include "progress.h"
#include "signals.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { SHOW_EVERY = 4096 };

struct verify {
    struct audit_verified *verified;
    size_t count, next; /* the first that is not reached yet */
    struct audit_source source, older;
    struct dbk_tree *tree, *known; /* of the records; of the file */
    bool has_older, has_known;
    struct dbk_hash entries[DBK_TILE_WIDTH]; /* not in the tree yet */
    size_t waiting;
    struct audit_found *found;
    struct progress progress;
};

static void add_range(struct audit_ranges *ranges, uint64_t first, uint64_t last)
{
    size_t at = ranges->count;

    if (ranges->more == 0 && at > 0 && ranges->list[at - 1].last + 1 == first)
        ranges->list[at - 1].last = last;
    else if (ranges->count < AUDIT_RANGES_MAX)
        ranges->list[ranges->count++] = (struct audit_range){first, last};
    else
        ranges->more++;
}

/* The group that was just filled, against the tree's file. */
static void look_at_group(struct verify *verify, uint64_t size)
{
    struct dbk_hash own, known;
    uint64_t n = size / DBK_TILE_WIDTH - 1;

    if (verify->has_known && size % DBK_TILE_WIDTH == 0 &&
        dbk_tree_kept(verify->tree, n, &own) &&
        dbk_tree_kept(verify->known, n, &known) && !dbk_hash_equal(&own, &known))
        add_range(&verify->found->hashed, n * DBK_TILE_WIDTH + 1, size);
}

static enum dbk_code add_waiting(struct verify *verify, struct dbk_error *err)
{
    size_t count = verify->waiting;

    verify->waiting = 0;
    if (dbk_tree_add(verify->tree, verify->entries, count, err) != DBK_OK)
        return err->code;
    if (count > 0)
        look_at_group(verify, dbk_tree_size(verify->tree));
    return DBK_OK;
}

/* All checkpoints of the size that the tree has now. */
static enum dbk_code check_reached(struct verify *verify, struct dbk_error *err)
{
    uint64_t size = verify->source.given;
    struct dbk_hash root;

    if (verify->next == verify->count ||
        verify->verified[verify->next].checkpoint.is.size != size)
        return DBK_OK;
    if (add_waiting(verify, err) != DBK_OK ||
        dbk_tree_root(verify->tree, size, &root, err) != DBK_OK)
        return err->code;
    for (; verify->next < verify->count; verify->next++) {
        struct audit_verified *one = &verify->verified[verify->next];

        if (one->checkpoint.is.size != size)
            break;
        one->reached = true;
        one->holds = dbk_hash_equal(&root, &one->checkpoint.is.root);
    }
    return DBK_OK;
}

/* The same record of the older copy, as long as that has some. */
static enum dbk_code look_at_older(struct verify *verify, struct dbk_slice bytes,
                                   struct dbk_error *err)
{
    struct dbk_slice other;

    if (!verify->has_older)
        return DBK_OK;
    if (audit_source_next(&verify->older, &other, err) != DBK_OK)
        return dbk_wrap(err, "--against");
    verify->has_older = other.length > 0;
    if (verify->has_older && !dbk_slice_equal(bytes, other))
        add_range(&verify->found->changed, verify->source.given, verify->source.given);
    return DBK_OK;
}

/* What is signed stands above the empty line. */
static bool is_named(const struct dbk_record *record,
                     const struct audit_checkpoint *checkpoint)
{
    const char *end = strstr(checkpoint->text, "\n\n");
    size_t length = end ? (size_t)(end - checkpoint->text) + 2 : 0;

    if (length > 0 && record->checkpoint.length >= length &&
        !memcmp(record->checkpoint.data, checkpoint->text, length))
        return true;
    return record->size == checkpoint->is.size &&
           !memcmp(record->root.data, checkpoint->is.root.bytes, DBK_HASH_BYTES);
}

/* Bytes that are no record are what was signed, or not, like any others. */
static void look_at_origin(struct verify *verify, struct dbk_slice bytes)
{
    struct dbk_record record;

    if (dbk_record_decode(bytes.data, bytes.length, &record, NULL) != DBK_OK ||
        record.type != DBK_LOG_RESEALED)
        return;
    verify->found->resealed = verify->source.given;
    verify->found->resealed_of = record.size;
    for (size_t i = 0; i < verify->count; i++) {
        if (is_named(&record, &verify->verified[i].checkpoint))
            verify->verified[i].named = verify->source.given;
    }
}

static enum dbk_code take(struct verify *verify, struct dbk_slice bytes,
                          struct dbk_error *err)
{
    dbk_hash_entry(bytes.data, bytes.length, &verify->entries[verify->waiting++]);
    look_at_origin(verify, bytes);
    if (look_at_older(verify, bytes, err) != DBK_OK)
        return err->code;
    if (verify->source.given % DBK_TILE_WIDTH == 0 &&
        add_waiting(verify, err) != DBK_OK)
        return err->code;
    if (verify->source.given % SHOW_EVERY == 0) {
        progress_show(&verify->progress, verify->source.given, 0);
        if (signals_came())
            return dbk_fail(err, DBK_INTERRUPTED, "interrupted");
    }
    return check_reached(verify, err);
}

/* A record that is damaged or missing ends it, and is a finding: what is before it may still
 * be what was signed. */
static enum dbk_code read_all(struct verify *verify, struct dbk_error *err)
{
    struct dbk_slice bytes = {"", 1};
    enum dbk_code code = check_reached(verify, err);

    progress_phase(&verify->progress, "hashing", "records");
    while (code == DBK_OK && bytes.length > 0) {
        code = audit_source_next(&verify->source, &bytes, err);
        if (code == DBK_DAMAGED) {
            verify->found->broken = *err;
            code = DBK_OK;
            bytes.length = 0;
        }
        if (code == DBK_OK && bytes.length > 0)
            code = take(verify, bytes, err);
    }
    progress_clear(&verify->progress);
    return code == DBK_OK ? add_waiting(verify, err) : code;
}

/* Of what is shown to be what was signed it is the tree's file that is wrong. */
static void forget_proven(struct audit_ranges *ranges, uint64_t size)
{
    size_t kept = 0;

    for (size_t i = 0; i < ranges->count; i++) {
        if (ranges->list[i].last > size)
            ranges->list[kept++] = ranges->list[i];
    }
    ranges->count = kept;
}

/* The log's own word counts where it is signed by whom the auditor believes. */
static void vouch(struct verify *verify)
{
    uint64_t proven = 0;

    for (size_t i = 0; i < verify->count; i++) {
        if (verify->verified[i].holds)
            proven = verify->verified[i].checkpoint.is.size;
    }
    for (size_t i = 0; i < verify->count; i++) {
        struct audit_verified *one = &verify->verified[i];

        one->vouched = one->named > 0 && one->named <= proven;
    }
}

static enum dbk_code conclude(struct verify *verify, struct dbk_error *err)
{
    struct audit_found *found = verify->found;
    uint64_t proven = 0;

    vouch(verify);
    found->right = !*found->broken.text;
    for (size_t i = 0; i < verify->count; i++) {
        struct audit_verified *one = &verify->verified[i];

        for (size_t k = 0; k < i; k++) {
            if (verify->verified[k].holds &&
                verify->verified[k].checkpoint.is.size < one->checkpoint.is.size)
                one->proven = verify->verified[k].checkpoint.is.size;
        }
        found->right = found->right && (one->holds || one->vouched);
        if (one->holds)
            proven = one->checkpoint.is.size;
    }
    forget_proven(&found->hashed, proven);
    found->right =
        found->right && found->changed.count == 0 && found->hashed.count == 0;
    found->records = dbk_tree_size(verify->tree);
    return dbk_tree_root(verify->tree, found->records, &found->root, err);
}

static int compare_sizes(const void *a, const void *b)
{
    const struct audit_verified *one = a, *other = b;

    return (one->checkpoint.is.size > other->checkpoint.is.size) -
           (one->checkpoint.is.size < other->checkpoint.is.size);
}

static enum dbk_code open_all(struct verify *verify, const char *path,
                              const char *tree_path, const char *older,
                              struct dbk_error *err)
{
    if (audit_source_open(path, &verify->source, err) != DBK_OK ||
        dbk_tree_create(NULL, &verify->tree, err) != DBK_OK ||
        dbk_tree_create(NULL, &verify->known, err) != DBK_OK)
        return err->code;
    if (*older && audit_source_open(older, &verify->older, err) != DBK_OK)
        return dbk_wrap(err, "--against");
    verify->has_older = *older != '\0';
    verify->has_known =
        *tree_path && dbk_tree_load(verify->known, tree_path, NULL) == DBK_OK;
    return DBK_OK;
}

static void close_all(struct verify *verify)
{
    audit_source_close(&verify->source);
    audit_source_close(&verify->older);
    dbk_tree_destroy(verify->tree);
    dbk_tree_destroy(verify->known);
}

enum dbk_code audit_verify_run(const struct tool *tool, const char *path,
                               struct audit_verified *verified, size_t count,
                               const char *tree_path, const char *older,
                               struct audit_found *found, struct dbk_error *err)
{
    struct verify *verify = calloc(1, sizeof *verify);
    enum dbk_code code;

    memset(found, 0, sizeof *found);
    if (!verify)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to verify");
    *verify = (struct verify){.verified = verified, .count = count, .found = found};
    verify->source.folder = verify->older.folder =
        (struct backup_folder){.use = -1, .write = -1, .had_lock = true};
    qsort(verified, count, sizeof *verified, compare_sizes);
    progress_start(&verify->progress, tool_progress(tool));
    code = open_all(verify, path, tree_path, older, err);
    if (code == DBK_OK)
        code = read_all(verify, err);
    if (code == DBK_OK)
        code = conclude(verify, err);
    close_all(verify);
    free(verify);
    return code;
}
