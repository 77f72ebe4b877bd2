#include "reseal_origin.h"

#include "audit_file.h"
#include "audit_source.h"
#include "store/proof/notary.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A file of the audit directory. One that is not there leaves *text NULL. */
static enum dbk_code read_signed(const char *given, const char *name, char **text,
                                 size_t *length, struct dbk_error *err)
{
    char dir[DBK_AUDIT_PATH], path[DBK_AUDIT_PATH];
    enum dbk_code code;

    if (!dbk_audit_path(given, "audit", dir) || !dbk_audit_path(dir, name, path))
        return dbk_fail(err, DBK_INVALID, "the path is too long");
    code = audit_file_read(path, text, length, err);
    if (code == DBK_OK)
        return DBK_OK;
    *text = NULL;
    return code == DBK_NOT_FOUND ? DBK_OK : code;
}

/* What is signed stands above the empty line. */
static bool is_same(const char *one, const char *other)
{
    const char *end = strstr(one, "\n\n");

    return end && !strncmp(one, other, (size_t)(end - one) + 2);
}

/* The same with the signatures of witnesses, where they have signed it. */
static void prefer_cosigned(const char *given, struct reseal_origin *origin)
{
    size_t length;
    char *text;

    if (read_signed(given, "cosigned", &text, &length, NULL) != DBK_OK || !text)
        return;
    if (length > DBK_CHECKPOINT_MAX || !is_same(origin->checkpoint, text)) {
        free(text);
        return;
    }
    free(origin->checkpoint);
    origin->checkpoint = text;
    origin->length = length;
}

/* The data directory, of the folder `log` in it. */
static bool is_in_a_data_directory(const char *given, char dir[PATH_MAX])
{
    char *name = realpath(given, dir) ? strrchr(dir, '/') : NULL;

    if (!name || name == dir || strcmp(name, "/log") != 0)
        return false;
    *name = '\0';
    return true;
}

static enum dbk_code find_checkpoint(const char *given, struct reseal_origin *origin,
                                     struct dbk_error *err)
{
    char name[AUDIT_SOURCE_NAME], dir[PATH_MAX];
    enum dbk_code code =
        audit_source_checkpoint(given, name, &origin->checkpoint, &origin->length, err);

    if (code != DBK_OK || origin->checkpoint)
        return code;
    code = read_signed(given, "last", &origin->checkpoint, &origin->length, err);
    if (code == DBK_OK && !origin->checkpoint && is_in_a_data_directory(given, dir)) {
        given = dir;
        code = read_signed(given, "last", &origin->checkpoint, &origin->length, err);
    }
    if (code == DBK_OK && origin->checkpoint)
        prefer_cosigned(given, origin);
    return code;
}

static enum dbk_code refuse(const char *given, struct dbk_error *err)
{
    err->code = DBK_DAMAGED;
    return dbk_wrap(err,
                    "%.300s is not what was signed of it: daybook audit verify says "
                    "more, and with --no-checkpoint it is taken as it is",
                    given);
}

/* Where nothing was signed yet, a checkpoint is of no records. */
static enum dbk_code hold(struct dbk_tree *tree, const char *given,
                          struct reseal_origin *origin, struct dbk_error *err)
{
    struct dbk_slice note = {origin->checkpoint, origin->length};
    struct dbk_hash root;

    if (audit_checkpoint_parse(note, &origin->is, err) != DBK_OK)
        return err->code == DBK_NO_MEMORY ? err->code : refuse(given, err);
    if (origin->is.size == 0) {
        free(origin->checkpoint);
        origin->checkpoint = NULL;
        return DBK_OK;
    }
    if (origin->is.size > origin->size) {
        dbk_fail(err, DBK_DAMAGED,
                 "%" PRIu64 " records were signed, and there are %" PRIu64,
                 origin->is.size, origin->size);
        return refuse(given, err);
    }
    if (dbk_tree_root(tree, origin->is.size, &root, err) != DBK_OK)
        return err->code;
    if (dbk_hash_equal(&root, &origin->is.root))
        return DBK_OK;
    dbk_fail(err, DBK_DAMAGED, "its first %" PRIu64 " records are others",
             origin->is.size);
    return refuse(given, err);
}

enum dbk_code reseal_origin_find(struct dbk_log *log, uint64_t size, const char *given,
                                 bool bare, const struct dbk_watch *watch,
                                 struct reseal_origin *out, struct dbk_error *err)
{
    const struct dbk_tree_source source = dbk_tree_of_log(log);
    struct dbk_tree *tree = NULL;
    enum dbk_code code;

    *out = (struct reseal_origin){.store_id = dbk_log_store_id(log), .size = size};
    code = bare ? DBK_OK : find_checkpoint(given, out, err);
    if (code == DBK_OK)
        code = dbk_tree_create(&source, &tree, err);
    if (code == DBK_OK)
        code = dbk_tree_grow(tree, size, watch, err);
    if (code == DBK_OK)
        code = dbk_tree_root(tree, size, &out->root, err);
    if (code == DBK_OK && out->checkpoint)
        code = hold(tree, given, out, err);
    dbk_tree_destroy(tree);
    return code;
}

void reseal_origin_finish(struct reseal_origin *origin)
{
    free(origin->checkpoint);
    origin->checkpoint = NULL;
}

struct dbk_record reseal_origin_record(const struct reseal_origin *origin,
                                       dbk_timestamp at)
{
    return (struct dbk_record){
        .type = DBK_LOG_RESEALED,
        .sequence = origin->size + 1,
        .recorded_at = at,
        .subject = origin->store_id,
        .size = origin->size,
        .root = {(const char *)origin->root.bytes, sizeof origin->root.bytes},
        .checkpoint = {origin->checkpoint, origin->checkpoint ? origin->length : 0},
    };
}
