/* Finding what is about a person: in the runs, as far as they go, and behind them in the
 * log. */
#include "history_private.h"
#include "log_keys.h"

#include <assert.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>

enum { CANDIDATES = 4096, BATCH_RECORDS = 4096, BATCH_BYTES = 1 << 20 };

/* What is under way. */
struct finding {
    struct dbk_history *history; /* NULL: there is none, or it is of no use */
    const struct dbk_person_records *person;
    struct dbk_history_page *page;
    uint64_t head, looked;
    struct runs runs;
    struct run_cursor cursor;
    struct dbk_batch batch;

    struct dbk_uuid *ids; /* the person's, and of the aliases */
    size_t id_count;

    /* The least of those behind `after`, a heap whose first one is the largest */
    uint64_t candidates[CANDIDATES];
    size_t count;
};

static bool is_done(const struct finding *finding)
{
    const struct dbk_history_page *page = finding->page;

    return page->more || page->after >= finding->head ||
           (page->look_max > 0 && finding->looked >= page->look_max);
}

/* The record is one of them; where the page is full, there is more. */
static void take(struct finding *finding, uint64_t sequence)
{
    struct dbk_history_page *page = finding->page;

    if (page->count == page->limit)
        page->more = true;
    else
        page->sequences[page->count++] = sequence;
}

/* Whether the i-th one of the batch is. Of who was erased that is in the clear. */
static enum dbk_code is_wanted(const struct finding *finding, size_t i, bool *wanted,
                               struct dbk_error *err)
{
    const struct dbk_batch_entry *entry = &finding->batch.entries[i];
    const char *bytes = finding->batch.bytes + entry->offset;
    struct dbk_record record;
    enum dbk_code code = dbk_record_decode(bytes, entry->length, &record, err);

    if (code == DBK_OK && finding->person->keys.length == 0)
        code = dbk_batch_record(&finding->batch, i, &record, err);
    if (code == DBK_OK || dbk_record_lacks_key(code, &record))
        *wanted = dbk_person_records_has(finding->person, &record);
    else if (code == DBK_DAMAGED || code == DBK_UNSUPPORTED)
        *wanted = finding->page->unreadable;
    else
        return code;
    return DBK_OK;
}

/* Through the log, up to the end of a batch. */
static enum dbk_code walk(struct finding *finding, struct dbk_error *err)
{
    struct dbk_history_page *page = finding->page;
    uint64_t left = finding->head - page->after;
    bool wanted;
    enum dbk_code code = dbk_log_read(finding->person->log, page->after,
                                      left < BATCH_RECORDS ? left : BATCH_RECORDS,
                                      BATCH_BYTES, &finding->batch, err);

    if (code == DBK_OK && finding->batch.count == 0) /* the log has gone back */
        finding->head = page->after;
    for (size_t i = 0; code == DBK_OK && i < finding->batch.count; i++) {
        code = is_wanted(finding, i, &wanted, err);
        if (code == DBK_OK && wanted)
            take(finding, finding->batch.entries[i].sequence);
        if (code != DBK_OK || page->more)
            break;
        page->after = finding->batch.entries[i].sequence;
        finding->looked++;
    }
    return code;
}

static void sift_down(struct finding *finding, size_t at)
{
    uint64_t *heap = finding->candidates;

    for (size_t child = 2 * at + 1; child < finding->count; child = 2 * at + 1) {
        uint64_t kept = heap[at];

        if (child + 1 < finding->count && heap[child + 1] > heap[child])
            child++;
        if (heap[child] <= kept)
            return;
        heap[at] = heap[child];
        heap[child] = kept;
        at = child;
    }
}

static void sift_up(struct finding *finding, size_t at)
{
    uint64_t *heap = finding->candidates;

    while (at > 0 && heap[(at - 1) / 2] < heap[at]) {
        uint64_t kept = heap[at];

        heap[at] = heap[(at - 1) / 2];
        heap[(at - 1) / 2] = kept;
        at = (at - 1) / 2;
    }
}

/* False: neither this one nor those behind it are among the least. */
static bool add_candidate(struct finding *finding, uint64_t sequence)
{
    if (finding->count < CANDIDATES) {
        finding->candidates[finding->count++] = sequence;
        sift_up(finding, finding->count - 1);
        return true;
    }
    if (sequence >= finding->candidates[0])
        return false;
    finding->candidates[0] = sequence;
    sift_down(finding, 0);
    return true;
}

/* What the run has behind `after` under this id. */
static enum dbk_code gather_id(struct finding *finding, const struct run *run,
                               const struct dbk_uuid *id, struct dbk_error *err)
{
    const struct run_pair first = {*id, finding->page->after + 1};
    struct run_cursor *cursor = &finding->cursor;
    enum dbk_code code = run_seek(cursor, run, &first, err);
    bool there = true;

    while (code == DBK_OK && there) {
        code = run_next(cursor, &there, err);
        if (code == DBK_OK && there)
            there = dbk_uuid_equal(&cursor->on.id, id) &&
                    add_candidate(finding, cursor->on.sequence);
    }
    return code;
}

static int by_number(const void *left, const void *right)
{
    const uint64_t *a = left, *b = right;

    return (*a > *b) - (*a < *b);
}

static enum dbk_code look_at(struct finding *finding, uint64_t sequence,
                             struct dbk_error *err)
{
    enum dbk_code code =
        dbk_log_read(finding->person->log, sequence - 1, 1, 1, &finding->batch, err);
    bool wanted = false;

    finding->looked++;
    if (code == DBK_OK && finding->batch.count > 0)
        code = is_wanted(finding, 0, &wanted, err);
    if (wanted)
        take(finding, sequence);
    return code;
}

/* The candidates, which are all that may be wanted up to `to`. */
static enum dbk_code look_at_candidates(struct finding *finding, uint64_t to,
                                        struct dbk_error *err)
{
    struct dbk_history_page *page = finding->page;
    enum dbk_code code = DBK_OK;

    qsort(finding->candidates, finding->count, sizeof *finding->candidates, by_number);
    for (size_t i = 0; i < finding->count && code == DBK_OK; i++) {
        uint64_t sequence = finding->candidates[i];

        if (sequence > finding->head)
            break;
        if (sequence <= page->after) /* of two ids */
            continue;
        if (is_done(finding))
            return DBK_OK;
        code = look_at(finding, sequence, err);
        if (code == DBK_OK && !page->more)
            page->after = sequence;
    }
    if (code == DBK_OK && !is_done(finding))
        page->after = to < finding->head ? to : finding->head;
    return code;
}

/* With the run that begins at or before `after`, and goes past it. */
static enum dbk_code look_up(struct finding *finding, const struct run *run,
                             struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    uint64_t to = run->place.to;

    finding->count = 0;
    for (size_t i = 0; i < finding->id_count && code == DBK_OK; i++)
        code = gather_id(finding, run, &finding->ids[i], err);
    if (code != DBK_OK) { /* it is the index's fault: the log has the answer */
        atomic_store(&finding->history->damaged, true);
        runs_drop(&finding->runs);
        return code == DBK_NO_MEMORY ? code : DBK_OK;
    }
    if (finding->count == CANDIDATES)
        to = finding->candidates[0];
    return look_at_candidates(finding, to, err);
}

static const struct run *run_behind(const struct runs *runs, uint64_t after)
{
    for (size_t i = 0; i < runs->count; i++) {
        if (runs->list[i]->place.to > after)
            return runs->list[i];
    }
    return NULL;
}

static bool add_alias(struct finding *finding, const struct dbk_alias *alias)
{
    struct dbk_uuid *id = &finding->ids[finding->id_count++];

    if (alias->key == 0)
        return log_alias_id(finding->person->log, alias->anonymous_id, id);
    history_key_id(alias->key, id);
    return true;
}

/* Of a person who was erased. */
static void add_keys(struct finding *finding)
{
    const struct dbk_slice *keys = &finding->person->keys;
    uint64_t number;

    for (size_t at = 0; at + sizeof number <= keys->length; at += sizeof number) {
        memcpy(&number, keys->data + at, sizeof number);
        history_key_id(be64toh(number), &finding->ids[finding->id_count++]);
    }
}

/* The nil id, which no person can have now, has those that could not be read: they may have
 * been repaired since. */
static enum dbk_code list_ids(struct finding *finding, struct dbk_error *err)
{
    const struct dbk_aliases *aliases = &finding->person->aliases;
    size_t keys = finding->person->keys.length / sizeof(uint64_t);
    bool room = true;

    finding->ids = calloc(aliases->count + keys + 2, sizeof *finding->ids);
    if (!finding->ids)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to look at a history");
    finding->ids[finding->id_count++] = finding->person->id;
    finding->id_count++;
    for (size_t i = 0; i < aliases->count && room; i++)
        room = add_alias(finding, &aliases->list[i]);
    add_keys(finding);
    return room ? DBK_OK
                : dbk_fail(err, DBK_NO_MEMORY, "no memory to look at a history");
}

static enum dbk_code find(struct finding *finding, struct dbk_error *err)
{
    enum dbk_code code = dbk_log_head(finding->person->log, &finding->head, err);
    const struct run *run;

    if (code == DBK_OK)
        code = list_ids(finding, err);
    if (finding->history)
        history_hold(finding->history, &finding->runs);
    while (code == DBK_OK && !is_done(finding)) {
        run = run_behind(&finding->runs, finding->page->after);
        code = run ? look_up(finding, run, err) : walk(finding, err);
    }
    if (code == DBK_OK && finding->page->after < finding->head)
        finding->page->more = true; /* it was looked at enough */
    return code;
}

enum dbk_code dbk_history_find(struct dbk_history *history,
                               const struct dbk_person_records *person,
                               struct dbk_history_page *page, struct dbk_error *err)
{
    struct finding *finding = calloc(1, sizeof *finding);
    enum dbk_code code;

    assert(page->limit > 0);
    page->count = 0;
    page->looked = 0;
    page->more = false;
    if (!finding)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to look at a history");
    finding->history = history;
    finding->person = person;
    finding->page = page;
    code = find(finding, err);
    page->looked = finding->looked;
    runs_drop(&finding->runs);
    dbk_batch_finish(&finding->batch);
    free(finding->ids);
    free(finding);
    return code;
}
