/* ceiling_log - what LMDB itself can do with the records of a log, in this process.
 *
 *   ceiling_log commit DIR SECONDS               one record a durable commit
 *   ceiling_log append DIR RECORDS BATCH SOURCE  records and the index of events by id
 *   ceiling_log scan DIR                         read and decode every record of a log
 *
 * DIR is empty for the first two, and a log's directory for scan; SOURCE is rest or import,
 * whose records differ. Each prints one JSON object. Appended records are encoded beforehand: what is measured is stamping sequence
 * and time, the checksum, the two puts, and the commits.
 */
#include "latency.h"
#include "log_value.h"
#include "store/record.h"

#include <endian.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct raw {
    MDB_env *env;
    MDB_dbi log, event;
    char record[DBK_RECORD_MAX];
    size_t length;
    size_t subject_at; /* where the record's id lies in it */
    uint64_t head;
};

static void must(int rc, const char *doing)
{
    if (rc == 0)
        return;
    fprintf(stderr, "ceiling_log: %s: %s\n", doing, mdb_strerror(rc));
    exit(1);
}

static void open_raw(struct raw *raw, const char *dir, unsigned flags)
{
    unsigned create = flags & MDB_RDONLY ? 0 : MDB_CREATE;
    MDB_txn *txn;

    must(mdb_env_create(&raw->env), "LMDB");
    must(mdb_env_set_mapsize(raw->env, (size_t)1 << 40), "map");
    must(mdb_env_set_maxdbs(raw->env, 8), "databases");
    must(mdb_env_set_maxreaders(raw->env, 8192), "readers");
    must(mdb_env_open(raw->env, dir, MDB_NOTLS | flags, 0600), dir);
    must(mdb_txn_begin(raw->env, NULL, flags & MDB_RDONLY, &txn), "begin");
    must(mdb_dbi_open(txn, "log", create | MDB_INTEGERKEY, &raw->log), "log");
    must(mdb_dbi_open(txn, "event", create, &raw->event), "event");
    must(mdb_txn_commit(txn), "commit");
}

/* The record that POST /events or an import makes of the bench's own event (load.py). */
static void draft(struct raw *raw, const char *source)
{
    bool rest = !strcmp(source, "rest");
    struct dbk_record record = {
        .type = DBK_EVENT_RECORDED,
        .subject = dbk_uuid_new(),
        .person_id = dbk_uuid_new(),
        .event_type = dbk_slice("page_edit"),
        .properties = dbk_slice("{\"page\":\"/articles/10482\",\"rank\":17,"
                                "\"referrer\":\"https://example.org/start\"}"),
        .has_datetime_created = !rest,
        .datetime_created = dbk_timestamp_now(),
        .request_id = dbk_slice(rest ? "01890a5d-ac96-774b-bcce-b302099a8057" : ""),
        .source = dbk_slice(source),
    };
    struct dbk_error err;
    const char *subject;

    if (dbk_record_encode(&record, raw->record, sizeof raw->record, &raw->length,
                          &err) != DBK_OK)
        exit(1);
    subject = memmem(raw->record, raw->length, record.subject.bytes, 16);
    raw->subject_at = (size_t)(subject - raw->record);
}

/* A new id that sorts after the last one, as a version 7 id does. */
static char *renew_id(struct raw *raw)
{
    uint64_t big_endian = htobe64(raw->head);

    memcpy(raw->record + raw->subject_at, &big_endian, sizeof big_endian);
    return raw->record + raw->subject_at;
}

static void put_record(struct raw *raw, MDB_txn *txn, dbk_timestamp now)
{
    MDB_val key = {sizeof raw->head, &raw->head};
    MDB_val value = {raw->length + LOG_VALUE_CHECKSUM, NULL};

    raw->head++;
    renew_id(raw);
    dbk_record_stamp(raw->record, raw->head, now);
    must(mdb_put(txn, raw->log, &key, &value, MDB_APPEND | MDB_RESERVE), "append");
    log_value_write(value.mv_data, raw->record, raw->length);
}

static void put_event(struct raw *raw, MDB_txn *txn)
{
    char state[32] = {0};
    MDB_val key = {16, raw->record + raw->subject_at};
    MDB_val value = {sizeof state, state};

    memcpy(state, &raw->head, sizeof raw->head);
    must(mdb_put(txn, raw->event, &key, &value, 0), "index");
}

static void append_batch(struct raw *raw, uint64_t count, bool indexed)
{
    dbk_timestamp now = dbk_timestamp_now();
    MDB_txn *txn;

    must(mdb_txn_begin(raw->env, NULL, 0, &txn), "begin");
    for (uint64_t i = 0; i < count; i++) {
        put_record(raw, txn, now);
        if (indexed)
            put_event(raw, txn);
    }
    must(mdb_txn_commit(txn), "commit");
}

static void run_commit(const char *dir, double seconds)
{
    static struct raw raw;
    struct latency latency = {0};
    double start = latency_now(), at = start;

    open_raw(&raw, dir, 0);
    draft(&raw, "rest");
    for (; at < start + seconds; at = latency_now()) {
        append_batch(&raw, 1, false);
        latency_add(&latency, latency_now() - at);
    }
    latency_print(&latency, stdout);
    latency_finish(&latency);
    mdb_env_close(raw.env);
}

static void print_rate(uint64_t records, double seconds)
{
    printf("{\"records\": %llu, \"seconds\": %.6f}\n", (unsigned long long)records,
           seconds);
}

static void run_append(const char *dir, uint64_t records, uint64_t batch,
                       const char *source)
{
    static struct raw raw;
    double start;

    open_raw(&raw, dir, 0);
    draft(&raw, source);
    start = latency_now();
    while (raw.head < records)
        append_batch(&raw, records - raw.head < batch ? records - raw.head : batch,
                     true);
    print_rate(records, latency_now() - start);
    mdb_env_close(raw.env);
}

static void run_scan(const char *dir)
{
    static struct raw raw;
    struct dbk_record record;
    struct dbk_error err;
    double start = latency_now();
    uint64_t count = 0;
    MDB_cursor *cursor;
    MDB_val key, value;
    MDB_txn *txn;

    open_raw(&raw, dir, MDB_RDONLY);
    must(mdb_txn_begin(raw.env, NULL, MDB_RDONLY, &txn), "begin");
    must(mdb_cursor_open(txn, raw.log, &cursor), "cursor");
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        if (dbk_record_decode(value.mv_data, value.mv_size - 4, &record, &err) !=
                DBK_OK ||
            record.sequence != ++count) {
            fprintf(stderr, "ceiling_log: record %llu is damaged\n",
                    (unsigned long long)count);
            exit(1);
        }
    }
    print_rate(count, latency_now() - start);
    mdb_cursor_close(cursor);
    mdb_txn_abort(txn);
    mdb_env_close(raw.env);
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "commit"))
        run_commit(argv[2], strtod(argv[3], NULL));
    else if (argc == 6 && !strcmp(argv[1], "append"))
        run_append(argv[2], strtoull(argv[3], NULL, 10), strtoull(argv[4], NULL, 10),
                   argv[5]);
    else if (argc == 3 && !strcmp(argv[1], "scan"))
        run_scan(argv[2]);
    else
        return fputs("usage: ceiling_log commit DIR SECONDS | append DIR RECORDS BATCH "
                     "SOURCE "
                     "| scan DIR\n",
                     stderr),
               2;
    return 0;
}
