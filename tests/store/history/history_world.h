/* history_world.h - a log of chance, its index of who is known by what, and what both find. */
#ifndef TEST_HISTORY_WORLD_H
#define TEST_HISTORY_WORLD_H

#include "generate/draft.h"
#include "scratch_log.h"
#include "store/clock.h"
#include "store/history.h"
#include "store/log_builder.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

enum { RECORDS = 2500, PERSONS = 400, PATIENCE_MS = 60000, MOST = RECORDS * 2 };

struct world {
    struct scratch s; /* its log is made by the generator */
    char index[100];
    struct dbk_history *history;
    struct dbk_uuid persons[PERSONS];
    size_t count;
    char told[4096];
};

static atomic_bool full;
static pthread_mutex_t told_mutex = PTHREAD_MUTEX_INITIALIZER; /* guards told */

int __real_statvfs(const char *path, struct statvfs *out);
int __wrap_statvfs(const char *path, struct statvfs *out);
int __wrap_statvfs(const char *path, struct statvfs *out)
{
    int rc = __real_statvfs(path, out);

    if (rc == 0 && atomic_load(&full))
        out->f_bavail = 1;
    return rc;
}

static inline uint64_t seed_of_today(void)
{
    const char *text = getenv("DAYBOOK_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : (uint64_t)dbk_clock_us();

    print_message("DAYBOOK_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static inline void add_drafted(struct world *world, struct history *made,
                               struct dbk_log_builder *builder, uint64_t sequence)
{
    static char bytes[DBK_RECORD_MAX];
    struct dbk_record record;
    size_t length;

    assert_true(history_next(made, &record));
    record.sequence = sequence;
    if (record.type == DBK_PERSON_CREATED && world->count < PERSONS)
        world->persons[world->count++] = record.subject;
    assert_int_equal(dbk_record_encode(&record, bytes, sizeof bytes, &length, NULL),
                     DBK_OK);
    assert_int_equal(dbk_log_builder_add(builder, bytes, length, NULL), DBK_OK);
}

static inline void make_log(struct world *world, uint64_t seed)
{
    struct history made = {.random = {seed}, .identities = true};
    struct dbk_log_builder *builder;

    assert_int_equal(dbk_log_builder_open(world->s.dir, &builder, NULL), DBK_OK);
    for (uint64_t i = 1; i <= RECORDS; i++)
        add_drafted(world, &made, builder, i);
    assert_int_equal(dbk_log_builder_finish(builder, NULL), DBK_OK);
    history_finish(&made);
}

static inline int world_setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    strcpy(world->s.dir, "/tmp/daybook-store-XXXXXX");
    if (!mkdtemp(world->s.dir))
        return -1;
    snprintf(world->index, sizeof world->index, "%s.history", world->s.dir);
    make_log(world, seed_of_today());
    scratch_open(&world->s);
    *state = world;
    return 0;
}

static inline int world_teardown(void **state)
{
    struct world *world = *state;

    atomic_store(&full, false);
    dbk_history_close(world->history);
    dbk_log_close(world->s.log);
    dbk_history_remove(world->index);
    scratch_remove(world->s.dir);
    assert_int_not_equal(access(world->index, F_OK), 0);
    free(world);
    return 0;
}

static inline void note_line(void *context, const char *line)
{
    struct world *world = context;
    size_t used;

    pthread_mutex_lock(&told_mutex);
    used = strlen(world->told);
    snprintf(world->told + used, sizeof world->told - used, "%s\n", line);
    pthread_mutex_unlock(&told_mutex);
}

/* How often it was told. */
static inline size_t told(struct world *world, const char *text)
{
    size_t count = 0;

    pthread_mutex_lock(&told_mutex);
    for (const char *at = world->told; (at = strstr(at, text)); at++)
        count++;
    pthread_mutex_unlock(&told_mutex);
    return count;
}

/* Little runs, so that many are made and merged. */
static inline void grow(struct world *world)
{
    const struct dbk_history_options options = {
        .report = note_line, .report_context = world, .records = 100, .idle_ms = 1};

    dbk_history_close(world->history);
    assert_int_equal(
        dbk_history_start(world->index, world->s.log, &options, &world->history, NULL),
        DBK_OK);
}

static inline void wait_until_whole(struct world *world)
{
    int64_t end = dbk_clock_ms() + PATIENCE_MS;

    while (dbk_history_position(world->history) < head_of(&world->s)) {
        assert_true(dbk_clock_ms() < end);
        dbk_sleep_ms(1);
    }
}

static inline void grow_whole(struct world *world)
{
    grow(world);
    wait_until_whole(world);
}

/* All of a person, in pages. */
static inline size_t find_all(struct world *world, struct dbk_history *history,
                              const struct dbk_uuid *id, struct dbk_history_page page,
                              uint64_t *out)
{
    struct dbk_person_records person;
    uint64_t found[64];
    size_t count = 0;

    page.sequences = found;
    page.after = 0;
    assert_int_equal(dbk_person_records_init(&person, world->s.log, id, NULL), DBK_OK);
    do {
        uint64_t before = page.after;

        assert_int_equal(dbk_history_find(history, &person, &page, &world->s.err),
                         DBK_OK);
        assert_true(page.count <= page.limit && count + page.count <= MOST);
        assert_true(page.after > before || !page.more);
        for (size_t i = 0; i < page.count; i++) {
            assert_true(found[i] > before && found[i] <= page.after);
            out[count++] = before = found[i];
        }
    } while (page.more);
    assert_int_equal(page.after, head_of(&world->s));
    dbk_person_records_finish(&person);
    return count;
}

static inline void compare_one(struct world *world, const struct dbk_uuid *id,
                               size_t limit)
{
    static uint64_t walked[MOST], found[MOST];
    const struct dbk_history_page whole = {.limit = 64, .unreadable = true},
                                  pages = {.limit = limit, .unreadable = true};
    size_t count = find_all(world, NULL, id, whole, walked);

    assert_int_equal(find_all(world, world->history, id, pages, found), count);
    assert_memory_equal(found, walked, count * sizeof *found);
}

/* Of everybody, and of who is not there. */
static inline void compare(struct world *world)
{
    struct dbk_uuid stranger = dbk_uuid_new(), nil = {{0}};

    for (size_t i = 0; i < world->count; i += 9 + i % 7)
        compare_one(world, &world->persons[i], 5 + i % 60);
    compare_one(world, &stranger, 1);
    compare_one(world, &nil, 1);
}

#endif
