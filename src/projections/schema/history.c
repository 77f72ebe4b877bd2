#include "history.h"

bool history_read(const struct pg_result *result, size_t row, int store_id,
                  int sequence, int checksum, struct history_place *out)
{
    struct dbk_slice id = pg_value(result, row, store_id);

    out->sequence = pg_u64(result, row, sequence);
    out->checksum = HISTORY_UNKNOWN;
    if (!pg_null(result, row, checksum))
        out->checksum = pg_value(result, row, checksum).data[0] == '-'
                            ? HISTORY_LOST
                            : (int64_t)pg_u64(result, row, checksum);
    return dbk_uuid_parse(id.data, id.length, &out->store_id);
}

enum dbk_code history_checksum(struct dbk_log *log, uint64_t sequence,
                               int64_t *checksum, struct dbk_error *err)
{
    uint32_t stored;
    enum dbk_code code;

    *checksum = HISTORY_UNKNOWN;
    if (sequence == 0)
        return DBK_OK;
    code = dbk_log_checksum(log, sequence, &stored, err);
    if (code == DBK_OK)
        *checksum = stored;
    else if (code == DBK_DAMAGED) /* as much as can be said of it; it is set aside */
        *checksum = 0;
    return code == DBK_DAMAGED ? DBK_OK : code;
}

struct pg_param history_param(char out[8], int64_t checksum)
{
    return checksum == HISTORY_UNKNOWN ? pg_text(NULL) : pg_int8(out, checksum);
}

static enum dbk_code another_log(const struct dbk_uuid *theirs,
                                 const struct dbk_uuid *ours, struct dbk_error *err)
{
    char their_id[DBK_UUID_TEXT + 1], our_id[DBK_UUID_TEXT + 1];

    dbk_uuid_format(theirs, their_id);
    dbk_uuid_format(ours, our_id);
    return dbk_fail(
        err, DBK_UNSUPPORTED,
        "the read tables belong to another log (%s, this is %s): use another "
        "DB_SCHEMA or DB_NAME, or daybook rebuild puts this log's in place",
        their_id, our_id);
}

static enum dbk_code past_the_end(struct dbk_log *log, uint64_t sequence,
                                  struct dbk_error *err)
{
    uint64_t head;
    enum dbk_code code = dbk_log_head(log, &head, err);

    if (code != DBK_OK)
        return code;
    return dbk_fail(
        err, DBK_UNSUPPORTED,
        "the read tables were posted from another history of this log: they "
        "are at record %llu, and the log ends at %llu; it was put back to an "
        "earlier state, or has lost its end. daybook rebuild makes them "
        "again from it",
        (unsigned long long)sequence, (unsigned long long)head);
}

enum dbk_code history_check(struct dbk_log *log, const struct history_place *place,
                            struct dbk_error *err)
{
    const struct dbk_uuid ours = dbk_log_store_id(log);
    int64_t checksum;
    enum dbk_code code;

    if (!dbk_uuid_equal(&ours, &place->store_id))
        return another_log(&place->store_id, &ours, err);
    code = history_checksum(log, place->sequence, &checksum, err);
    if (code == DBK_NOT_FOUND)
        return past_the_end(log, place->sequence, err);
    if (code != DBK_OK || place->checksum == HISTORY_UNKNOWN ||
        place->checksum == checksum)
        return code;
    return dbk_fail(err, DBK_UNSUPPORTED,
                    "the read tables were posted from another history of this log: "
                    "record %llu differs; the log was put back to an earlier state and "
                    "written to since, or is a copy. daybook rebuild makes them again "
                    "from it",
                    (unsigned long long)place->sequence);
}
