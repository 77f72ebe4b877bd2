/* What was deleted is nowhere in the files of a private PostgreSQL that was scrubbed: not in
 * tables, nor beside them, nor in statistics or the write-ahead log. */
#include "naive_fold.h"
#include "projections/cluster.h"
#include "projections/scrub.h"
#include "scrub_wal.h"
#include "watched.h"

#include <fcntl.h>
#include <fts.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARKER "markerzqx"
#define KEPT "keptwvy"

struct scrubbed {
    struct world world;
    struct dbk_cluster *cluster;
    char log_dir[80];
};

static void live(struct scrubbed *s)
{
    struct world *world = &s->world;
    char properties[96];

    submit(world, draft_create(1, MARKER "@x.org"));
    submit(world, draft_create(2, KEPT "@x.org"));
    for (uint32_t i = 1; i <= 40; i++) {
        snprintf(properties, sizeof properties, "{\"name\": \"%s\"}",
                 i % 2 ? MARKER : KEPT);
        submit(world, draft_record(i, 2 - i % 2, properties));
    }
    world_start(world);
    world_catch_up(world);
    /* With their most frequent values. */
    scratch_script(world->pg, "analyze person");
    scratch_script(world->pg, "analyze event");
}

static int setup(void **state)
{
    struct scrubbed *s = calloc(1, sizeof *s);
    struct dbk_cluster_options options = {0};
    struct dbk_error err = {0};

    assert_non_null(s);
    strcpy(s->world.dir, "/tmp/dbk-scrub-XXXXXX");
    assert_non_null(mkdtemp(s->world.dir));
    assert_int_equal(chmod(s->world.dir, 0755), 0); /* PostgreSQL has another user */
    snprintf(s->log_dir, sizeof s->log_dir, "%s/log", s->world.dir);
    if (dbk_log_open(s->log_dir, NULL, &s->world.log, &err) != DBK_OK)
        fail_msg("%s", err.text);
    options.data_dir = s->world.dir;
    options.store_id = dbk_log_store_id(s->world.log);
    if (dbk_cluster_open(&options, &s->cluster, &err) != DBK_OK)
        fail_msg("%s", err.text);
    s->world.database = *dbk_cluster_database(s->cluster);
    s->world.database.schema = "scrubbed";
    s->world.pg = scratch_open(&s->world.database);
    live(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scrubbed *s = *state;

    world_stop(&s->world);
    pg_close(s->world.pg);
    dbk_cluster_close(s->cluster);
    dbk_log_close(s->world.log);
    remove_dir(s->world.dir);
    free(s);
    return 0;
}

static bool file_has(const char *path, off_t size, const char *text)
{
    int file = open(path, O_RDONLY);
    void *bytes;
    bool has;

    if (file < 0) /* gone meanwhile */
        return false;
    bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    assert_ptr_not_equal(bytes, MAP_FAILED);
    has = memmem(bytes, (size_t)size, text, strlen(text)) != NULL;
    munmap(bytes, (size_t)size);
    return has;
}

/* How many files of the cluster have the text; the first one's path. */
static unsigned files_with(const struct scrubbed *s, const char *text, char first[256])
{
    char dir[96];
    char *paths[] = {dir, NULL};
    unsigned found = 0;
    FTSENT *one;
    FTS *walk;

    snprintf(dir, sizeof dir, "%s/postgres", s->world.dir);
    walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    assert_non_null(walk);
    *first = '\0';
    while ((one = fts_read(walk))) {
        if (one->fts_info != FTS_F || one->fts_statp->st_size == 0 ||
            !file_has(one->fts_path, one->fts_statp->st_size, text))
            continue;
        if (found++ == 0)
            snprintf(first, 256, "%s", one->fts_path);
    }
    fts_close(walk);
    return found;
}

static bool is_anywhere(const struct scrubbed *s, const char *text)
{
    char first[256];

    scratch_script(s->world.pg, "checkpoint");
    return files_with(s, text, first) > 0;
}

static void assert_nowhere(const struct scrubbed *s, const char *text)
{
    char first[256];

    scratch_script(s->world.pg, "checkpoint");
    if (files_with(s, text, first) > 0)
        fail_msg("%s has it", first);
}

static enum dbk_code try_scrub(struct scrubbed *s, struct watched *watched,
                               struct dbk_scrub_result *result, struct dbk_error *err)
{
    const struct dbk_scrub_options options = {true, watch_with(watched)};

    return dbk_scrub(s->world.log, &s->world.database, &options, result, err);
}

static struct dbk_scrub_result scrub(struct scrubbed *s)
{
    struct watched watched = {0};
    struct dbk_scrub_result result;
    struct dbk_error err = {0};

    if (try_scrub(s, &watched, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return result;
}

static void keep_copies(struct scrubbed *s)
{
    const struct dbk_rebuild_options keep = {.keep_old = true};
    const struct dbk_replay_options replay = {.into = "then", .to = DBK_REPLAY_HEAD};
    struct dbk_rebuild_result result;
    struct dbk_error err = {0};

    if (dbk_rebuild(s->world.log, &s->world.database, &keep, &result, &err) != DBK_OK ||
        dbk_replay(s->world.log, &s->world.database, &replay, &result, &err) != DBK_OK)
        fail_msg("%s", err.text);
}

static void assert_settings_are_put_back(struct scrubbed *s)
{
    assert_int_equal(
        scratch_number(s->world.pg,
                       "select count(*) from pg_file_settings where name in"
                       " ('wal_recycle', 'min_wal_size') and sourcefile"
                       " like '%auto.conf'"),
        0);
}

static void what_was_deleted_is_nowhere(void **state)
{
    struct scrubbed *s = *state;
    struct dbk_scrub_result result;

    keep_copies(s);
    submit(&s->world, draft_delete(1));
    world_catch_up(&s->world);
    scratch_script(s->world.pg, "vacuum");
    /* Files of the write-ahead log that wait to be used, with old bytes in them, are more
     * than are used at once. What a killed call has left of the settings is no matter. */
    for (int i = 0; i < 4; i++)
        scratch_script(s->world.pg, "select pg_switch_wal(); checkpoint");
    scratch_script(s->world.pg, "alter system set wal_recycle = off");
    assert_true(is_anywhere(s, MARKER)); /* else there is nothing to be shown */

    result = scrub(s);
    assert_nowhere(s, MARKER);
    assert_true(is_anywhere(s, KEPT));
    assert_int_equal(result.dropped, 2);
    assert_true(result.segments > 0);
    assert_int_equal(result.rebuilt.sequence, world_head(&s->world));
    assert_settings_are_put_back(s);
    world_catch_up(&s->world);
    assert_tables_equal_the_log(&s->world);
}

static void a_replay_that_is_followed_is_told_and_stays(void **state)
{
    struct scrubbed *s = *state;
    struct dbk_scrub_result result;
    struct watched watched = {0};
    struct dbk_error err = {0};
    struct pg *follower;

    keep_copies(s);
    follower = scratch_open(&s->world.database);
    scratch_script(
        follower,
        "select pg_advisory_lock(hashtextextended('daybook rebuild then', 0))");
    assert_int_equal(try_scrub(s, &watched, &result, &err), DBK_BUSY);
    assert_non_null(strstr(err.text, "the replay then"));
    assert_int_equal(result.dropped, 1); /* the kept tables */
    assert_true(result.segments > 0);    /* the rest was done all the same */
    pg_close(follower);
    while (try_scrub(s, &watched, &result, &err) == DBK_BUSY)
        pause_10ms();
    assert_int_equal(scratch_number(s->world.pg, "select count(*) from pg_namespace"
                                                 " where nspname = 'then'"),
                     0);
}

static void a_stop_is_obeyed_and_leaves_the_settings_alone(void **state)
{
    struct scrubbed *s = *state;
    struct watched watched = {.stop_after = 1};
    struct dbk_scrub_result result;
    struct dbk_error err = {0};

    assert_int_equal(try_scrub(s, &watched, &result, &err), DBK_INTERRUPTED);
    assert_settings_are_put_back(s);
}

static bool puts_back(struct scrubbed *s)
{
    struct pg *pg = scratch_open(&s->world.database);
    struct dbk_error err = {0};
    bool found;

    if (scrub_wal_put_back(pg, &found, &err) != DBK_OK)
        fail_msg("%s", err.text);
    pg_close(pg);
    return found;
}

static struct scrubbed *ended_in; /* by the one session that is scrubbing */

/* The server ends its session while the settings are changed. */
static void end_session(void *context)
{
    const struct watched *watched = context;
    struct pg *pg;

    if (strcmp(watched->phase, "replacing the write-ahead log") != 0)
        return;
    pg = scratch_open(&ended_in->world.database);
    assert_int_equal(scratch_number(pg, "select count(pg_terminate_backend(pid)) from"
                                        " pg_stat_activity where application_name ="
                                        " 'daybook scrub' and pid <> pg_backend_pid()"),
                     1);
    pg_close(pg);
}

static void a_connection_that_fails_leaves_the_settings_alone(void **state)
{
    struct scrubbed *s = *state;
    struct watched watched = {.meanwhile = end_session, .context = &watched};
    struct dbk_scrub_result result;
    struct dbk_error err = {0};

    ended_in = s;
    assert_int_not_equal(try_scrub(s, &watched, &result, &err), DBK_OK);
    assert_null(strstr(err.text, "stay as they were set"));
    assert_settings_are_put_back(s);
    assert_false(puts_back(s)); /* nor is the lock held */
}

static void set_as_one_that_runs(struct pg *pg)
{
    scratch_script(pg, "select pg_advisory_lock(hashtextextended('daybook scrub', 0))");
    scratch_script(pg, "alter system set min_wal_size = '32MB'");
    scratch_script(pg, "alter system set wal_recycle = off");
    scratch_script(pg, "select pg_reload_conf()");
}

static void wait_until_read(const struct scrubbed *s)
{
    bool recycles = true;

    while (recycles) {
        struct pg *pg = scratch_open(&s->world.database);

        recycles =
            scratch_number(pg, "select current_setting('wal_recycle')::bool::int") == 1;
        pg_close(pg);
    }
}

static void what_a_killed_one_has_left_is_put_back(void **state)
{
    struct scrubbed *s = *state;
    struct pg *running = scratch_open(&s->world.database);

    assert_false(puts_back(s));
    set_as_one_that_runs(running);
    wait_until_read(s);
    assert_false(puts_back(s));
    assert_int_equal(scratch_number(s->world.pg,
                                    "select count(*) from pg_file_settings where name ="
                                    " 'wal_recycle' and sourcefile like '%auto.conf'"),
                     1);
    pg_close(running); /* killed; its server learns of it a little later */
    while (!puts_back(s))
        pause_10ms();
    assert_settings_are_put_back(s);
}

/* Statement by statement, each with the comments before it; behind the last are some. */
static void what_the_administrator_is_told_runs(void **state)
{
    struct scrubbed *s = *state;
    char statement[400];
    const char *end;

    for (const char *one = dbk_scrub_by_hand(); (end = strchr(one, ';'));
         one = end + 1) {
        assert_true((size_t)(end - one) < sizeof statement);
        snprintf(statement, sizeof statement, "%.*s", (int)(end - one), one);
        scratch_script(s->world.pg, statement);
    }
    assert_settings_are_put_back(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_deleted_is_nowhere),
        cmocka_unit_test(a_replay_that_is_followed_is_told_and_stays),
        cmocka_unit_test(a_stop_is_obeyed_and_leaves_the_settings_alone),
        cmocka_unit_test(a_connection_that_fails_leaves_the_settings_alone),
        cmocka_unit_test(what_a_killed_one_has_left_is_put_back),
        cmocka_unit_test(what_the_administrator_is_told_runs),
    };

    return cmocka_run_group_tests(tests, setup, teardown) != 0;
}
