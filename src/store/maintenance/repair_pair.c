#include "repair_pair.h"

#include <inttypes.h>
#include <string.h>

enum dbk_code repair_pair_open(const char *dir, const char *copy,
                               struct repair_pair *pair, struct dbk_error *err)
{
    enum dbk_code code;

    *pair = (struct repair_pair){.log = NULL};
    code = dbk_salvage_open(dir, 1, 0, &pair->log, err);
    if (code == DBK_OK)
        code = dbk_salvage_open(copy, 1, 0, &pair->copy, err);
    if (code != DBK_OK) {
        repair_pair_close(pair);
        return code;
    }
    return DBK_OK;
}

void repair_pair_close(struct repair_pair *pair)
{
    dbk_salvage_close(pair->log);
    dbk_salvage_close(pair->copy);
    *pair = (struct repair_pair){.log = NULL};
}

static bool both_same(const struct repair_pair *pair)
{
    return pair->here.length == pair->there.length &&
           !memcmp(pair->here.bytes, pair->there.bytes, pair->here.length);
}

static enum dbk_code compare(struct repair_pair *pair, struct dbk_error *err)
{
    if (!pair->has_copy || pair->here.state != DBK_SALVAGED ||
        pair->there.state != DBK_SALVAGED)
        return DBK_OK;
    if (!both_same(pair))
        return dbk_fail(err, DBK_CONFLICT,
                        "it is of another history: its record %" PRIu64
                        " is not this log's",
                        pair->here.sequence);
    pair->agreed = pair->here.sequence;
    return DBK_OK;
}

enum dbk_code repair_pair_next(struct repair_pair *pair, struct dbk_error *err)
{
    enum dbk_code code = dbk_salvage_next(pair->log, &pair->here, err);

    if (code != DBK_OK)
        return code;
    code = dbk_salvage_next(pair->copy, &pair->there, err);
    if (code != DBK_OK && code != DBK_NOT_FOUND)
        return code;
    pair->has_copy = code == DBK_OK;
    return compare(pair, err);
}

bool repair_pair_can_take(const struct repair_pair *pair)
{
    return pair->here.state != DBK_SALVAGED && pair->has_copy &&
           pair->there.state == DBK_SALVAGED;
}

/* Either its checksum is still what it was, or its bytes are. */
bool repair_pair_is_proven(const struct repair_pair *pair)
{
    return pair->here.state == DBK_SALVAGE_CHANGED &&
           pair->here.length == pair->there.length &&
           (pair->here.checksum == pair->there.checksum || both_same(pair));
}
