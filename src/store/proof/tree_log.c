/* The entries of a log, hashed where they lie. */
#include "log_read.h"
#include "log_value.h"
#include "store/proof/tree.h"

#include <inttypes.h>

/* So many in a read transaction: a tenth of a millisecond, if they are small. */
enum { READ_RECORDS = 256 };

static enum dbk_code hash_next(struct log_walk *walk, struct dbk_hash *out,
                               struct dbk_error *err)
{
    enum dbk_code code = log_walk_next(walk, err);
    size_t length;

    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, DBK_DAMAGED,
                        "the log ends before record %" PRIu64
                        ", which was hashed: it was put back",
                        walk->sequence + 1);
    if (code != DBK_OK)
        return code;
    if (!log_value_check(walk->bytes, walk->size, &length) || length == 0)
        return dbk_fail(err, DBK_DAMAGED,
                        "record %" PRIu64 " is damaged: its checksum is wrong",
                        walk->sequence);
    dbk_hash_entry(walk->bytes, length, out);
    return DBK_OK;
}

static enum dbk_code hash_some(struct dbk_log *log, uint64_t first, size_t count,
                               struct dbk_hash *out, struct dbk_error *err)
{
    struct log_walk walk;
    enum dbk_code code = log_walk_begin(log, first, &walk, err);

    if (code != DBK_OK)
        return code;
    for (size_t i = 0; code == DBK_OK && i < count; i++)
        code = hash_next(&walk, &out[i], err);
    log_walk_end(&walk);
    return code;
}

static enum dbk_code read_entries(void *context, uint64_t first, size_t count,
                                  struct dbk_hash *out, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && count > 0) {
        size_t some = count < READ_RECORDS ? count : READ_RECORDS;

        code = hash_some(context, first, some, out, err);
        first += some;
        out += some;
        count -= some;
    }
    return code;
}

struct dbk_tree_source dbk_tree_of_log(struct dbk_log *log)
{
    return (struct dbk_tree_source){.entries = read_entries, .context = log};
}
