/* The history index: whatever happens to it, who asks gets what a walk over the log gives. */
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

static uint64_t seed_of_today(void)
{
    const char *text = getenv("DAYBOOK_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : (uint64_t)dbk_clock_us();

    print_message("DAYBOOK_SEED=%llu\n", (unsigned long long)seed);
    return seed;
}

static void add_drafted(struct world *world, struct history *made,
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

static void make_log(struct world *world, uint64_t seed)
{
    struct history made = {.random = {seed}, .identities = true};
    struct dbk_log_builder *builder;

    assert_int_equal(dbk_log_builder_open(world->s.dir, &builder, NULL), DBK_OK);
    for (uint64_t i = 1; i <= RECORDS; i++)
        add_drafted(world, &made, builder, i);
    assert_int_equal(dbk_log_builder_finish(builder, NULL), DBK_OK);
    history_finish(&made);
}

static int world_setup(void **state)
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

static int world_teardown(void **state)
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

static void note_line(void *context, const char *line)
{
    struct world *world = context;
    size_t used;

    pthread_mutex_lock(&told_mutex);
    used = strlen(world->told);
    snprintf(world->told + used, sizeof world->told - used, "%s\n", line);
    pthread_mutex_unlock(&told_mutex);
}

static void forget_told(struct world *world)
{
    pthread_mutex_lock(&told_mutex);
    *world->told = '\0';
    pthread_mutex_unlock(&told_mutex);
}

/* How often it was told. */
static size_t told(struct world *world, const char *text)
{
    size_t count = 0;

    pthread_mutex_lock(&told_mutex);
    for (const char *at = world->told; (at = strstr(at, text)); at++)
        count++;
    pthread_mutex_unlock(&told_mutex);
    return count;
}

static void wait_until_told(struct world *world, const char *text)
{
    for (int64_t end = dbk_clock_ms() + PATIENCE_MS;
         !told(world, text) && dbk_clock_ms() < end;)
        dbk_sleep_ms(1);
    assert_true(told(world, text) > 0);
}

/* Little runs, so that many are made and merged. */
static void grow(struct world *world)
{
    const struct dbk_history_options options = {
        .report = note_line, .report_context = world, .records = 100, .idle_ms = 1};

    dbk_history_close(world->history);
    assert_int_equal(
        dbk_history_start(world->index, world->s.log, &options, &world->history, NULL),
        DBK_OK);
}

static void wait_until_whole(struct world *world)
{
    int64_t end = dbk_clock_ms() + PATIENCE_MS;

    while (dbk_history_position(world->history) < head_of(&world->s)) {
        assert_true(dbk_clock_ms() < end);
        dbk_sleep_ms(1);
    }
}

static void grow_whole(struct world *world)
{
    grow(world);
    wait_until_whole(world);
}

/* All of a person, in pages. */
static size_t find_all(struct world *world, struct dbk_history *history,
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

static void compare_one(struct world *world, const struct dbk_uuid *id, size_t limit)
{
    static uint64_t walked[MOST], found[MOST];
    const struct dbk_history_page whole = {.limit = 64, .unreadable = true},
                                  pages = {.limit = limit, .unreadable = true};
    size_t count = find_all(world, NULL, id, whole, walked);

    assert_int_equal(find_all(world, world->history, id, pages, found), count);
    assert_memory_equal(found, walked, count * sizeof *found);
}

/* Of everybody, and of who is not there. */
static void compare(struct world *world)
{
    struct dbk_uuid stranger = dbk_uuid_new(), nil = {{0}};

    for (size_t i = 0; i < world->count; i += 9 + i % 7)
        compare_one(world, &world->persons[i], 5 + i % 60);
    compare_one(world, &stranger, 1);
    compare_one(world, &nil, 1);
}

/* However they come, they are merged. */
static size_t count_runs(const struct world *world)
{
    DIR *stream = opendir(world->index);
    struct dirent *entry;
    size_t count = 0;

    assert_non_null(stream);
    while ((entry = readdir(stream)))
        count += strstr(entry->d_name, ".run") != NULL;
    closedir(stream);
    return count;
}

static void it_answers_as_a_walk_does(void **state)
{
    struct world *world = *state;

    grow_whole(world);
    compare(world);
    assert_int_equal(told(world, "\n"), 0);
    assert_in_range(count_runs(world), 1, 8);
}

static void what_is_not_in_it_yet_is_walked(void **state)
{
    struct world *world = *state;
    struct dbk_uuid kate;

    grow_whole(world);
    dbk_history_close(world->history);
    kate = add_person(&world->s, "kate@x.mock");
    for (int i = 0; i < 3; i++) {
        struct dbk_record event = draft_event(&kate);
        assert_int_equal(submit(&world->s, &event).code, DBK_OK);
    }
    assert_int_equal(
        dbk_history_open(world->index, world->s.log, &world->history, NULL), DBK_OK);
    assert_int_equal(dbk_history_position(world->history), RECORDS);
    compare(world);
    compare_one(world, &kate, 2);
}

static void an_alias_brings_what_was_before_it(void **state)
{
    struct world *world = *state;
    struct dbk_record event = draft_event(&(struct dbk_uuid){{0}});
    struct dbk_uuid kate = add_person(&world->s, "kate@x.mock");
    struct dbk_record alias = draft_of(DBK_PERSON_ALIASED, &kate);
    uint64_t found[8];
    const struct dbk_history_page page = {.limit = 8};

    event.anonymous_id = alias.anonymous_id = dbk_slice("her phone");
    assert_int_equal(submit(&world->s, &event).code, DBK_OK);
    grow_whole(world);
    assert_int_equal(find_all(world, world->history, &kate, page, found), 1);
    assert_int_equal(submit(&world->s, &alias).code, DBK_OK);
    assert_int_equal(find_all(world, world->history, &kate, page, found), 3);
    assert_int_equal(found[1], RECORDS + 2);
    compare_one(world, &kate, 1);
}

static void a_page_ends_where_enough_was_looked_at(void **state)
{
    struct world *world = *state;
    static uint64_t found[MOST], walked[MOST];
    const struct dbk_history_page bounded = {.limit = 64, .look_max = 100},
                                  whole = {.limit = 64};
    size_t count = find_all(world, NULL, &world->persons[0], whole, walked);

    assert_int_equal(find_all(world, NULL, &world->persons[0], bounded, found), count);
    assert_memory_equal(found, walked, count * sizeof *found);
}

/* The index in a process that is killed some time while it grows. */
static void grow_and_die(const struct world *world, int ms)
{
    pid_t child = fork();

    if (child == 0) {
        struct dbk_log_options reading = {.read_only = true, .map_size = 1 << 30};
        struct dbk_history_options options = {.records = 50, .idle_ms = 1};
        struct dbk_history *history;
        struct dbk_log *log;

        if (dbk_log_open(world->s.dir, &reading, &log, NULL) == DBK_OK)
            dbk_history_start(world->index, log, &options, &history, NULL);
        for (;;)
            pause();
    }
    dbk_sleep_ms(ms);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void it_survives_a_kill_at_any_point(void **state)
{
    struct world *world = *state;
    enum dbk_code code;

    dbk_log_close(world->s.log); /* LMDB must not be open across a fork */
    for (int ms = 0; ms < 60; ms += 7)
        grow_and_die(world, ms);
    scratch_open(&world->s);
    code = dbk_history_open(world->index, world->s.log, &world->history, NULL);
    assert_true(code == DBK_OK || code == DBK_NOT_FOUND);
    compare(world);
    grow_whole(world);
    compare(world);
    assert_int_equal(told(world, "\n"), 0);
}

/* The largest run, and how large it is. */
static off_t find_run(const struct world *world, char path[PATH_MAX])
{
    DIR *stream = opendir(world->index);
    struct dirent *entry;
    off_t largest = 0;

    assert_non_null(stream);
    while ((entry = readdir(stream))) {
        char one[PATH_MAX];
        int fd;
        off_t size;

        snprintf(one, sizeof one, "%s/%s", world->index, entry->d_name);
        fd = open(one, O_RDONLY);
        size = fd >= 0 && strstr(one, ".run") ? lseek(fd, 0, SEEK_END) : 0;
        if (size > largest) {
            largest = size;
            strcpy(path, one);
        }
        close(fd);
    }
    closedir(stream);
    return largest;
}

static void flip(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    char byte;

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte = (char)(byte ^ 0x11);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* Ask for everybody, so that every block is read. */
static void ask_for_all(struct world *world)
{
    static uint64_t found[MOST];
    const struct dbk_history_page page = {.limit = 64};

    for (size_t i = 0; i < world->count; i++)
        find_all(world, world->history, &world->persons[i], page, found);
}

static void what_is_damaged_is_seen_and_made_anew(void **state)
{
    struct world *world = *state;
    char path[PATH_MAX];
    off_t size;

    grow_whole(world);
    size = find_run(world, path);
    assert_true(size > 2 * 4096);
    for (off_t block = 0; block < size / 4096; block++) {
        find_run(world, path);
        forget_told(world);
        flip(path, block * 4096 + 4095 * (block % 3) / 2);
        compare(world); /* by the one that is open */
        if (block == 0)
            grow(world); /* only who opens it looks at the head */
        for (int64_t end = dbk_clock_ms() + PATIENCE_MS;
             !told(world, "anew") && dbk_clock_ms() < end; dbk_sleep_ms(1))
            ask_for_all(world);
        assert_true(told(world, "damaged") > 0);
        wait_until_whole(world);
        compare(world);
    }
}

static void what_is_cut_is_made_anew(void **state)
{
    struct world *world = *state;
    char path[PATH_MAX];
    off_t size;

    for (int i = 0; i < 4; i++) {
        grow_whole(world);
        size = find_run(world, path);
        dbk_history_close(world->history);
        world->history = NULL;
        assert_int_equal(truncate(path, i < 3 ? size * i / 3 : size - 1), 0);
        assert_int_equal(
            dbk_history_open(world->index, world->s.log, &world->history, NULL),
            DBK_DAMAGED);
        assert_null(world->history);
    }
}

static void another_logs_is_made_anew(void **state)
{
    struct world *world = *state;

    grow_whole(world);
    dbk_history_close(world->history);
    world->history = NULL;
    dbk_log_close(world->s.log);
    scratch_remove(world->s.dir);
    world->count = 0;
    make_log(world, 7);
    scratch_open(&world->s);
    assert_int_equal(
        dbk_history_open(world->index, world->s.log, &world->history, NULL), DBK_MOVED);
    grow(world);
    compare(world);
    wait_until_whole(world);
    compare(world);
    assert_true(told(world, "another log: it is made anew") > 0);
}

static void copy_file(const char *from, const char *to)
{
    static char bytes[1 << 16];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    size_t length;

    assert_true(in && out);
    while ((length = fread(bytes, 1, sizeof bytes, in)) > 0)
        assert_int_equal(fwrite(bytes, 1, length, out), length);
    fclose(in);
    assert_int_equal(fclose(out), 0);
}

static void of_a_log_that_was_put_back_it_is_made_anew(void **state)
{
    struct world *world = *state;
    char data[128], kept[128];

    snprintf(data, sizeof data, "%s/data.mdb", world->s.dir);
    snprintf(kept, sizeof kept, "%s/kept.mdb", world->s.dir);
    dbk_log_close(world->s.log);
    copy_file(data, kept);
    scratch_open(&world->s);
    add_person(&world->s, "kate@x.mock");
    grow_whole(world);
    dbk_history_close(world->history);
    world->history = NULL;
    dbk_log_close(world->s.log);
    assert_int_equal(rename(kept, data), 0);
    scratch_open(&world->s);
    add_person(&world->s, "ororo@x.mock"); /* the same sequence, another record */
    assert_int_equal(
        dbk_history_open(world->index, world->s.log, &world->history, NULL), DBK_MOVED);
    grow_whole(world);
    compare(world);
    assert_true(told(world, "another history") > 0);
}

static void on_a_full_disk_it_waits_and_says_so_once(void **state)
{
    struct world *world = *state;
    uint64_t whole;

    atomic_store(&full, true);
    grow(world);
    wait_until_told(world, "too little room");
    assert_int_equal(dbk_history_position(world->history), 0);
    compare(world);
    add_person(&world->s, "kate@x.mock"); /* the log goes on */
    atomic_store(&full, false);
    wait_until_whole(world);
    compare(world);
    whole = dbk_history_position(world->history);
    assert_int_equal(whole, RECORDS + 1);
    wait_until_told(world, "grows again");
    assert_int_equal(told(world, "\n"), 2);
}

static void where_it_may_not_be_made_nobody_is_kept_from_anything(void **state)
{
    struct world *world = *state;
    int fd = open(world->index, O_CREAT | O_WRONLY, 0600); /* a file, no directory */

    assert_true(fd >= 0);
    close(fd);
    grow(world);
    wait_until_told(world, "does not grow");
    compare(world);
    dbk_history_close(world->history);
    world->history = NULL;
    unlink(world->index);
}

int main(void)
{
#define IN_A_WORLD(test)                                                               \
    cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(it_answers_as_a_walk_does),
        IN_A_WORLD(what_is_not_in_it_yet_is_walked),
        IN_A_WORLD(an_alias_brings_what_was_before_it),
        IN_A_WORLD(a_page_ends_where_enough_was_looked_at),
        IN_A_WORLD(it_survives_a_kill_at_any_point),
        IN_A_WORLD(what_is_damaged_is_seen_and_made_anew),
        IN_A_WORLD(what_is_cut_is_made_anew),
        IN_A_WORLD(another_logs_is_made_anew),
        IN_A_WORLD(of_a_log_that_was_put_back_it_is_made_anew),
        IN_A_WORLD(on_a_full_disk_it_waits_and_says_so_once),
        IN_A_WORLD(where_it_may_not_be_made_nobody_is_kept_from_anything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
