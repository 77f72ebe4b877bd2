/* The entries of a log. */
#include "store/proof/tree.h"

#include <inttypes.h>

/* So much may be copied at once: 256 records of the largest kind. Small ones stay in a
 * processor's cache from copying to hashing. */
enum { READ_RECORDS = 256, READ_BYTES = 32 << 20 };

static enum dbk_code hash_batch(const struct dbk_batch *batch, struct dbk_hash *out,
                                struct dbk_error *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct dbk_batch_entry *entry = &batch->entries[i];

        if (entry->length == 0)
            return dbk_fail(err, DBK_DAMAGED,
                            "record %" PRIu64 " is damaged: its checksum is wrong",
                            entry->sequence);
        dbk_hash_entry(batch->bytes + entry->offset, entry->length, &out[i]);
    }
    return DBK_OK;
}

static enum dbk_code read_entries(void *context, uint64_t first, size_t count,
                                  struct dbk_hash *out, struct dbk_error *err)
{
    struct dbk_batch batch = {0};
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && count > 0) {
        code = dbk_log_read(context, first, count < READ_RECORDS ? count : READ_RECORDS,
                            READ_BYTES, &batch, err);
        if (code == DBK_OK && batch.count == 0)
            code = dbk_fail(err, DBK_DAMAGED,
                            "the log ends before record %" PRIu64
                            ", which was hashed: it was put back",
                            first + 1);
        if (code == DBK_OK)
            code = hash_batch(&batch, out, err);
        first += batch.count;
        out += batch.count;
        count -= batch.count;
    }
    dbk_batch_finish(&batch);
    return code;
}

struct dbk_tree_source dbk_tree_of_log(struct dbk_log *log)
{
    return (struct dbk_tree_source){.entries = read_entries, .context = log};
}
