/* The index of the history is made anew where it is damaged, cut, another's, or not whole. */
#include "history_world.h"

static void forget_told(struct world *world)
{
    pthread_mutex_lock(&told_mutex);
    *world->told = '\0';
    pthread_mutex_unlock(&told_mutex);
}

static void wait_until_told(struct world *world, const char *text)
{
    for (int64_t end = dbk_clock_ms() + PATIENCE_MS;
         !told(world, text) && dbk_clock_ms() < end;)
        dbk_sleep_ms(1);
    assert_true(told(world, text) > 0);
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

/* Ask for everybody, so that every block is read. */
static void ask_for_all(struct world *world)
{
    static uint64_t found[MOST];
    const struct dbk_history_page page = {.limit = 64};

    for (size_t i = 0; i < world->count; i++)
        find_all(world, world->history, &world->persons[i], page, found);
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
