/* The thread that follows the log and writes what is about whom.
 *
 * It looks what came a few times a second rather than with each commit: who reads walks over
 * what is not in the index yet, so nobody waits for it. */
#include "about.h"
#include "history_private.h"
#include "log_read.h"
#include "log_value.h"

#include "store/clock.h"
#include "store/durable.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOOK_MS = 200, RETRY_MS = 5000, IDLE_MS = 10000, NICE = 10 };
/* So much in a read transaction: a millisecond or two. */
enum { RECORDS = 16384, WALK_RECORDS = 4096, WALK_BYTES = 1 << 20 };
/* Of pairs, 6 MiB; a record has two at most. So many are written at once at most. */
enum { PAIRS_MAX = 256 << 10, PAIRS_KEPT = 4096 };

/* What it knows. */
struct grower {
    struct dbk_history *history;
    struct runs runs;
    struct about about;
    struct run_pair *pairs; /* since the runs' end */
    size_t count, size;
    uint64_t taken;    /* the last record that they are of */
    uint32_t checksum; /* of it */
    int64_t since;     /* when the first of them came, ms */
    enum dbk_code told;
};

static void report(struct grower *grower, const char *line)
{
    const struct dbk_history_options *options = &grower->history->options;

    if (options->report)
        options->report(options->report_context, line);
}

/* What fails is told once, and once that it no longer does. */
static void tell(struct grower *grower, enum dbk_code code, const struct dbk_error *why)
{
    char line[sizeof why->text + 128];

    if (code == grower->told)
        return;
    if (code == DBK_OK)
        snprintf(line, sizeof line, "the history index grows again");
    else
        snprintf(line, sizeof line,
                 "the history index does not grow, who asks walks over the log "
                 "meanwhile: %s",
                 why->text);
    grower->told = code;
    report(grower, line);
}

/* True: it is to stop. */
static bool wait_or_stop(struct dbk_history *history, int ms)
{
    dbk_deadline deadline = dbk_deadline_in(ms);
    bool stopping;

    pthread_mutex_lock(&history->mutex);
    if (!history->stopping && ms > 0)
        dbk_cond_wait(&history->stopped, &history->mutex, deadline);
    stopping = history->stopping;
    pthread_mutex_unlock(&history->mutex);
    return stopping;
}

static void forget_pairs(struct grower *grower)
{
    grower->count = 0;
    if (grower->size > PAIRS_KEPT) {
        free(grower->pairs);
        grower->pairs = NULL;
        grower->size = 0;
    }
}

/* Begin where the runs end. */
static void begin(struct grower *grower)
{
    const struct runs *runs = &grower->runs;

    forget_pairs(grower);
    grower->taken = runs_end(runs);
    grower->checksum = runs->count ? runs->list[runs->count - 1]->place.checksum : 0;
    history_publish(grower->history, runs);
}

/* What is there is of no use. */
static void throw_away(struct grower *grower, const struct dbk_error *why)
{
    char line[sizeof why->text + 64];

    snprintf(line, sizeof line, "%s: it is made anew", why->text);
    report(grower, line);
    about_finish(&grower->about); /* a log that went back may give its keys to others */
    runs_drop(&grower->runs);
    begin(grower);
    runs_clean(grower->history->dir, &grower->runs);
    atomic_store(&grower->history->damaged, false);
}

static enum dbk_code open_runs(struct grower *grower, struct dbk_error *err)
{
    const char *dir = grower->history->dir;
    enum dbk_code code;

    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return dbk_system_fail(err, "make", dir);
    code = runs_open(dir, grower->history->log, &grower->runs, err);
    if (code == DBK_MOVED || code == DBK_DAMAGED)
        throw_away(grower, err);
    else if (code != DBK_OK && code != DBK_NOT_FOUND)
        return code;
    runs_clean(dir, &grower->runs);
    begin(grower);
    return DBK_OK;
}

static bool make_room(struct grower *grower)
{
    size_t wanted = grower->size ? grower->size * 2 : PAIRS_KEPT;
    struct run_pair *grown;

    if (grower->count + 2 <= grower->size)
        return true;
    grown = reallocarray(grower->pairs, wanted, sizeof *grown);
    if (!grown)
        return false;
    grower->pairs = grown;
    grower->size = wanted;
    return true;
}

/* What the walk has found. *whole: its checksum matches. */
static enum dbk_code add_record(struct grower *grower, const struct log_walk *walk,
                                bool *whole, struct dbk_error *err)
{
    struct about_ids ids;
    size_t length;

    *whole = log_value_check(walk->bytes, walk->size, &length);
    if (!make_room(grower) ||
        !about_record(&grower->about, walk->bytes, *whole ? length : 0, &ids))
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for it");
    for (size_t i = 0; i < ids.count; i++)
        grower->pairs[grower->count++] = (struct run_pair){ids.list[i], walk->sequence};
    if (*whole)
        grower->checksum = log_value_checksum(walk->bytes, length);
    return DBK_OK;
}

static enum dbk_code add_some(struct grower *grower, struct log_walk *walk, bool *whole,
                              struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; code == DBK_OK && i < WALK_RECORDS && walk->touched < WALK_BYTES;
         i++) {
        code = log_walk_next(walk, err);
        if (code == DBK_OK)
            code = add_record(grower, walk, whole, err);
    }
    return code == DBK_NOT_FOUND ? DBK_OK : code;
}

/* The checksum is that of the record that was read; a damaged one has what the log has. */
static enum dbk_code note_taken(struct grower *grower, uint64_t sequence, bool whole,
                                struct dbk_error *err)
{
    grower->taken = sequence;
    return whole
               ? DBK_OK
               : dbk_log_checksum(grower->about.log, sequence, &grower->checksum, err);
}

/* The log's damage is not the index's: it waits there until that is repaired. */
static enum dbk_code of_the_log(enum dbk_code code, struct dbk_error *err)
{
    char why[sizeof err->text];

    if (code != DBK_DAMAGED)
        return code;
    snprintf(why, sizeof why, "%s", err->text);
    return dbk_fail(err, DBK_IO, "%s", why);
}

/* *whole: there is nothing left to take now. */
static enum dbk_code take_some(struct grower *grower, bool *whole,
                               struct dbk_error *err)
{
    uint64_t before = grower->taken;
    bool last_whole = true;
    struct log_walk walk;
    enum dbk_code code = log_walk_begin(grower->about.log, before, &walk, err);

    if (code != DBK_OK)
        return of_the_log(code, err);
    if (grower->count == 0)
        grower->since = dbk_clock_ms();
    code = add_some(grower, &walk, &last_whole, err);
    log_walk_end(&walk);
    *whole = code == DBK_OK && walk.sequence == before;
    if (code == DBK_OK && !*whole)
        code = note_taken(grower, walk.sequence, last_whole, err);
    if (code != DBK_OK)
        begin(grower); /* half of it must not stay, or another's checksum be its own */
    return of_the_log(code, err);
}

static enum dbk_code check_record(const struct grower *grower, uint64_t sequence,
                                  uint32_t expected, struct dbk_error *err)
{
    uint32_t checksum = 0;
    enum dbk_code code =
        dbk_log_checksum(grower->history->log, sequence, &checksum, err);

    if (code == DBK_NOT_FOUND || (code == DBK_OK && checksum != expected))
        return dbk_fail(err, DBK_MOVED, "the log has gone back");
    return of_the_log(code, err);
}

/* A commit that was seen may have been taken back, where the disk failed: also one that is
 * in the runs, and the log may have gone past it since. */
static enum dbk_code check_taken(const struct grower *grower, struct dbk_error *err)
{
    const struct runs *runs = &grower->runs;
    enum dbk_code code = DBK_OK;

    if (runs->count > 0)
        code = check_record(grower, runs_end(runs),
                            runs->list[runs->count - 1]->place.checksum, err);
    return code == DBK_OK ? check_record(grower, grower->taken, grower->checksum, err)
                          : code;
}

static enum dbk_code write_pairs(struct grower *grower, struct dbk_error *err)
{
    struct run_place place = {.store_id = dbk_log_store_id(grower->history->log),
                              .after = runs_end(&grower->runs),
                              .to = grower->taken,
                              .checksum = grower->checksum};
    enum dbk_code code = check_taken(grower, err);

    if (code != DBK_OK)
        return code;
    if (grower->count > 0)
        qsort(grower->pairs, grower->count, sizeof *grower->pairs, run_pair_compare);
    code = runs_append(&grower->runs, grower->history->dir, &place, grower->pairs,
                       grower->count, err);
    if (code == DBK_OK)
        begin(grower);
    return code;
}

static bool is_due(const struct grower *grower, bool whole)
{
    const struct dbk_history_options *options = &grower->history->options;
    uint64_t records = grower->taken - runs_end(&grower->runs);
    int idle_ms = options->idle_ms ? options->idle_ms : IDLE_MS;

    if (records == 0)
        return false;
    return grower->count + 2 * WALK_RECORDS > PAIRS_MAX || records >= PAIRS_MAX ||
           (whole && (records >= (options->records ? options->records : RECORDS) ||
                      dbk_clock_ms() - grower->since >= idle_ms));
}

/* What there is to do now. */
static enum dbk_code go_on(struct grower *grower, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    bool whole = false;

    while (code == DBK_OK && !whole && !wait_or_stop(grower->history, 0)) {
        if (atomic_load(&grower->history->damaged))
            return dbk_fail(err, DBK_DAMAGED, "the history index is damaged");
        if (!is_due(grower, false))
            code = take_some(grower, &whole, err);
        if (code == DBK_OK && is_due(grower, whole))
            code = write_pairs(grower, err);
    }
    return code;
}

/* It gives way to who answers requests. */
static void be_nice(void)
{
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
}

void *history_grow(void *argument)
{
    struct dbk_history *history = argument;
    struct grower grower = {.history = history, .about.log = history->log};
    bool opened = false, again;
    int wait_ms = LOOK_MS;
    enum dbk_code code;
    struct dbk_error err;

    be_nice();
    do {
        err = (struct dbk_error){0};
        code = opened ? DBK_OK : open_runs(&grower, &err);
        opened = code == DBK_OK;
        if (opened)
            code = go_on(&grower, &err);
        again = code == DBK_MOVED || code == DBK_DAMAGED;
        if (again) {
            throw_away(&grower, &err);
            opened = false;
        } else {
            tell(&grower, code, &err);
        }
        /* One that is thrown away again and again is on a bad disk. */
        wait_ms = code == DBK_OK || (again && wait_ms == LOOK_MS) ? LOOK_MS : RETRY_MS;
    } while (!wait_or_stop(grower.history, wait_ms));
    runs_drop(&grower.runs);
    about_finish(&grower.about);
    free(grower.pairs);
    return NULL;
}
