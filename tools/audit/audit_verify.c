#include "audit_verify.h"

#include "audit_source.h"
#include "progress.h"
#include "signals.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RANGES_MAX = 20, SHOW_EVERY = 4096 };

/* Places that differ from what they are held against, next to each other as one. */
struct ranges {
    size_t count; /* all; of the first RANGES_MAX is told where */
    struct range {
        uint64_t first, last; /* sequences */
    } list[RANGES_MAX];
};

struct verify {
    const struct tool *tool;
    struct audit_verified *verified;
    size_t count, next; /* the first that is not reached yet */
    struct audit_source source, older;
    struct dbk_tree *tree, *known; /* of the records; of the file */
    bool has_older, has_known;
    struct dbk_hash entries[DBK_TILE_WIDTH]; /* not in the tree yet */
    size_t waiting;
    struct ranges changed;   /* by the older copy: records */
    struct ranges hashed;    /* by the tree's file: 256 each */
    struct dbk_error broken; /* why it could not be read on; text "": it could */
    struct progress progress;
};

static void add_range(struct ranges *ranges, uint64_t first, uint64_t last)
{
    size_t at = ranges->count < RANGES_MAX ? ranges->count : RANGES_MAX;

    if (at > 0 && ranges->count <= RANGES_MAX &&
        ranges->list[at - 1].last + 1 == first) {
        ranges->list[at - 1].last = last;
        return;
    }
    if (ranges->count < RANGES_MAX)
        ranges->list[ranges->count] = (struct range){first, last};
    ranges->count++;
}

/* The group that was just filled, against the tree's file. */
static void look_at_group(struct verify *verify, uint64_t size)
{
    struct dbk_hash own, known;
    uint64_t n = size / DBK_TILE_WIDTH - 1;

    if (verify->has_known && size % DBK_TILE_WIDTH == 0 &&
        dbk_tree_kept(verify->tree, n, &own) &&
        dbk_tree_kept(verify->known, n, &known) && !dbk_hash_equal(&own, &known))
        add_range(&verify->hashed, n * DBK_TILE_WIDTH + 1, size);
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
        add_range(&verify->changed, verify->source.given, verify->source.given);
    return DBK_OK;
}

static enum dbk_code take(struct verify *verify, struct dbk_slice bytes,
                          struct dbk_error *err)
{
    dbk_hash_entry(bytes.data, bytes.length, &verify->entries[verify->waiting++]);
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
            verify->broken = *err;
            code = DBK_OK;
            bytes.length = 0;
        }
        if (code == DBK_OK && bytes.length > 0)
            code = take(verify, bytes, err);
    }
    progress_clear(&verify->progress);
    return code == DBK_OK ? add_waiting(verify, err) : code;
}

/* Up to which record it is shown to be what was signed. */
static uint64_t proven(const struct verify *verify)
{
    uint64_t size = 0;

    for (size_t i = 0; i < verify->count; i++) {
        if (verify->verified[i].holds)
            size = verify->verified[i].checkpoint.is.size;
    }
    return size;
}

/* The largest that held, below a size. */
static uint64_t proven_below(const struct verify *verify, uint64_t below)
{
    uint64_t size = 0;

    for (size_t i = 0; i < verify->count; i++) {
        const struct audit_verified *one = &verify->verified[i];

        if (one->holds && one->checkpoint.is.size < below)
            size = one->checkpoint.is.size;
    }
    return size;
}

static void print_checkpoint(const struct verify *verify,
                             const struct audit_verified *one)
{
    const struct dbk_log_checkpoint *is = &one->checkpoint.is;

    printf("%s: ", one->checkpoint.path);
    if (one->holds)
        printf("right: the first %" PRIu64 " records are those that %s signed",
               is->size, is->origin);
    else if (one->reached)
        printf("WRONG: the first %" PRIu64
               " records are not those that %s signed: it is "
               "in records %" PRIu64 " to %" PRIu64,
               is->size, is->origin, proven_below(verify, is->size) + 1, is->size);
    else
        printf("WRONG: %s signed %" PRIu64 " records, and there are %" PRIu64,
               is->origin, is->size, verify->source.given);
    if (one->checkpoint.witnesses)
        printf("; %d witnesses saw it",
               __builtin_popcountll(one->checkpoint.witnesses));
    putchar('\n');
}

static size_t print_ranges(const struct ranges *ranges, uint64_t above,
                           const char *what)
{
    size_t told = 0;

    for (size_t i = 0; i < ranges->count && i < RANGES_MAX; i++) {
        const struct range *range = &ranges->list[i];

        if (range->last <= above) /* it is the other that is wrong */
            continue;
        told++;
        if (range->first == range->last)
            printf("record %" PRIu64 ": %s\n", range->first, what);
        else
            printf("records %" PRIu64 " to %" PRIu64 ": %s\n", range->first,
                   range->last, what);
    }
    if (ranges->count > RANGES_MAX)
        printf("and %zu more places\n", ranges->count - RANGES_MAX);
    return told;
}

static enum tool_exit print(struct verify *verify, struct dbk_error *err)
{
    char text[DBK_HASH_TEXT + 1];
    struct dbk_hash root;
    bool right = !*verify->broken.text;
    uint64_t size = dbk_tree_size(verify->tree);

    for (size_t i = 0; i < verify->count; i++) {
        print_checkpoint(verify, &verify->verified[i]);
        right = right && verify->verified[i].holds;
    }
    if (*verify->broken.text)
        printf("%s\n", verify->broken.text);
    right = print_ranges(&verify->changed, 0, "not as in the older copy") == 0 && right;
    right = print_ranges(&verify->hashed, proven(verify),
                         "at least one is not what it was when it was hashed "
                         "(audit/tree)") == 0 &&
            right;
    if (dbk_tree_root(verify->tree, size, &root, err) != DBK_OK)
        return tool_fail(verify->tool, err);
    dbk_hash_format(&root, text);
    printf("records %" PRIu64 ", root %s\n", size, text);
    return right ? TOOL_DONE : TOOL_DIFFERENT;
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

enum tool_exit audit_verify_run(const struct tool *tool, const char *path,
                                struct audit_verified *verified, size_t count,
                                const char *tree_path, const char *older)
{
    struct verify *verify = calloc(1, sizeof *verify);
    struct dbk_error err = {.code = DBK_NO_MEMORY, .text = "no memory to verify"};
    enum tool_exit exit;
    enum dbk_code code;

    if (!verify)
        return tool_fail(tool, &err);
    *verify = (struct verify){.tool = tool, .verified = verified, .count = count};
    verify->source.folder = verify->older.folder =
        (struct backup_folder){.use = -1, .write = -1, .had_lock = true};
    qsort(verified, count, sizeof *verified, compare_sizes);
    progress_start(&verify->progress, tool_progress(tool));
    code = open_all(verify, path, tree_path, older, &err);
    if (code == DBK_OK)
        code = read_all(verify, &err);
    exit = code == DBK_OK ? print(verify, &err) : tool_refuse(tool, &err);
    close_all(verify);
    free(verify);
    return exit;
}
