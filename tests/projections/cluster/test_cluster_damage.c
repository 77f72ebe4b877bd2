/* A private cluster whose files, programs or place are not as they should be. */
#include "cluster_world.h"

#include <errno.h>
#include <fcntl.h>

static bool no_programs; /* what the wrapped glob answers */

int __real_glob(const char *pattern, int flags, int (*told)(const char *, int),
                glob_t *found);
int __wrap_glob(const char *pattern, int flags, int (*told)(const char *, int),
                glob_t *found);

int __wrap_glob(const char *pattern, int flags, int (*told)(const char *, int),
                glob_t *found)
{
    return no_programs ? GLOB_NOMATCH : __real_glob(pattern, flags, told, found);
}

static bool once_it_is_being_made(void *context)
{
    return exists(((const struct world *)context)->dir, "postgres.tmp.*/global");
}

static void who_has_waited_enough_leaves_nothing_half_made(void **state)
{
    struct world *world = *state;
    struct dbk_cluster_options options = {
        .data_dir = world->dir,
        .store_id = world->id,
        .watch = {.stop = once_it_is_being_made, .context = world}};
    struct dbk_cluster *cluster;
    struct dbk_error err;

    remove_tree(world->dir, "postgres");
    assert_int_equal(dbk_cluster_open(&options, &cluster, &err), DBK_INTERRUPTED);
    assert_null(cluster);
    assert_false(exists(world->dir, "postgres.tmp.*"));
}

static void without_programs_it_says_what_to_install(void **state)
{
    struct world *world = *state;
    struct dbk_cluster_options options = {.data_dir = world->dir};
    struct dbk_cluster *cluster;
    struct dbk_error err;
    char *path = strdup(getenv("PATH"));

    setenv("PATH", "/nonexistent", 1);
    no_programs = true;
    assert_int_equal(dbk_cluster_open(&options, &cluster, &err), DBK_NOT_FOUND);
    assert_non_null(strstr(err.text, "postgresql"));
    no_programs = false;
    setenv("PATH", path, 1);
    free(path);
}

static void open_answers_and_close(struct world *world)
{
    struct dbk_cluster *cluster = open_cluster(world);

    assert_true(answers(dbk_cluster_database(cluster)));
    dbk_cluster_close(cluster);
}

static void a_cluster_of_another_version_is_set_aside(void **state)
{
    struct world *world = *state;
    struct dbk_cluster *cluster;

    open_answers_and_close(world);
    write_file(world->dir, "postgres/PG_VERSION", "9\n");
    cluster = open_cluster(world);
    assert_true(answers(dbk_cluster_database(cluster)));
    dbk_cluster_close(cluster);
    assert_true(exists(world->dir, "postgres.version-9.*"));
}

static size_t count(const char *dir, const char *pattern)
{
    char path[256];
    glob_t found = {0};
    size_t paths;

    snprintf(path, sizeof path, "%s/%s", dir, pattern);
    glob(path, 0, NULL, &found);
    paths = found.gl_pathc;
    globfree(&found);
    return paths;
}

static long file_size(const char *dir, const char *name)
{
    char path[256];
    struct stat found;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return stat(path, &found) == 0 ? (long)found.st_size : -1;
}

static bool stands(struct dbk_cluster *cluster, bool away)
{
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        if (dbk_cluster_away(cluster, NULL, 0) == away &&
            (away || answers(dbk_cluster_database(cluster))))
            return true;
        pause_10ms();
    }
    return false;
}

static struct dbk_cluster *open_trying(const struct world *world)
{
    struct dbk_cluster_options options = {
        .data_dir = world->dir, .store_id = world->id, .keep_trying = true};
    struct dbk_cluster *cluster;
    struct dbk_error err = {0};

    if (dbk_cluster_open(&options, &cluster, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return cluster;
}

static void
who_keeps_trying_opens_without_programs_and_starts_once_they_are_there(void **state)
{
    char *path = strdup(getenv("PATH")), why[256] = "";
    struct dbk_cluster *cluster;

    setenv("PATH", "/nonexistent", 1);
    no_programs = true;
    cluster = open_trying(*state);
    assert_true(dbk_cluster_away(cluster, why, sizeof why));
    assert_non_null(strstr(why, "install the package"));
    no_programs = false; /* which also tells what exists() sees */
    setenv("PATH", path, 1);
    free(path);
    assert_true(exists(((struct world *)*state)->dir, "postgres/base"));
    assert_false(exists(((struct world *)*state)->dir, "postgres.damaged"));
    assert_true(stands(cluster, false));
    dbk_cluster_close(cluster);
}

static void of_damaged_clusters_the_last_is_kept(void **state)
{
    struct world *world = *state;

    for (int round = 0; round < 2; round++) {
        write_file(world->dir, "postgres/mark", round ? "second" : "first");
        remove_tree(world->dir, "postgres/PG_VERSION");
        open_answers_and_close(world);
        assert_false(exists(world->dir, "postgres/mark"));
    }
    assert_true(exists(world->dir, "postgres.damaged/base"));
    assert_int_equal(count(world->dir, "postgres.damaged*"), 1);
    assert_int_equal(file_size(world->dir, "postgres.damaged/mark"), strlen("second"));
    remove_tree(world->dir, "postgres.damaged");
}

/* Each by another part of PostgreSQL's start. */
static void a_cluster_that_does_not_start_is_set_aside(void **state)
{
    static const char *const broken[] = {"global/pg_control", "postgresql.conf"};
    static const char *const missing[] = {"pg_wal/*", "global/pg_filenode.map"};
    struct world *world = *state;
    char path[128];

    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        snprintf(path, sizeof path, "postgres/%s", broken[i]);
        write_file(world->dir, path, "?");
        open_answers_and_close(world);
        assert_true(exists(world->dir, "postgres.damaged/base"));
        remove_tree(world->dir, "postgres.damaged");
    }
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        snprintf(path, sizeof path, "postgres/%s", missing[i]);
        remove_tree(world->dir, path);
        open_answers_and_close(world);
        assert_true(exists(world->dir, "postgres.damaged/base"));
        remove_tree(world->dir, "postgres.damaged");
    }
}

/* Which may add to it meanwhile. */
static void remove_tree_of_a_server(const char *dir)
{
    char command[256];

    snprintf(command, sizeof command, "rm -rf %s 2>/dev/null || rm -rf %s", dir, dir);
    assert_int_equal(system(command), 0);
}

/* At once: a server that runs would make files again meanwhile. */
static void take_away(const char *dir, const char *name)
{
    char from[128], to[128];

    snprintf(from, sizeof from, "%s/%s", dir, name);
    snprintf(to, sizeof to, "%s/taken", dir);
    assert_int_equal(rename(from, to), 0);
    remove_tree_of_a_server(to);
}

static void what_is_taken_away_under_it_is_made_again(void **state)
{
    static const char *const taken[] = {"postgres", "postgres/base"};
    struct world *world = *state;
    struct dbk_cluster *cluster = open_trying(world);

    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
        pid_t server = server_pid(world->dir);

        take_away(world->dir, taken[i]);
        assert_true(stands(cluster, true));
        assert_true(comes_back(world, dbk_cluster_database(cluster), server));
    }
    dbk_cluster_close(cluster);
    remove_tree(world->dir, "postgres.damaged");
}

static void a_socket_that_is_taken_away_comes_back_with_the_same_files(void **state)
{
    struct world *world = *state;
    struct dbk_cluster *cluster = open_cluster(world);
    pid_t server = server_pid(world->dir);

    write_file(world->dir, "postgres/mark", "");
    remove_tree(world->dir, "postgres/.s.PGSQL.5432");
    assert_true(comes_back(world, dbk_cluster_database(cluster), server));
    assert_true(exists(world->dir, "postgres/mark"));
    dbk_cluster_close(cluster);
}

/* Whatever process has got the number of one that has ended. */
static void lock_files_that_name_another_program_are_no_server(void **state)
{
    struct world *world = *state;
    char text[256];

    for (int parent = 0; parent < 2; parent++) {
        snprintf(text, sizeof text, "%ld\n%s/postgres\n0\n5432\n/tmp\n",
                 (long)(parent ? getppid() : getpid()), world->dir);
        write_file(world->dir, "postgres/postmaster.pid", text);
        write_file(world->dir, "postgres/.s.PGSQL.5432.lock", text);
        write_file(world->dir, "postgres/.s.PGSQL.5432", "");
        write_file(world->dir, "postgres.lock", text);
        open_answers_and_close(world);
    }
    assert_false(exists(world->dir, "postgres.damaged"));
}

static void its_write_ahead_log_is_bounded(void **state)
{
    const struct pg_options options = {.connect_timeout_ms = 5000};
    const struct pg_statement show = {.sql = "show max_wal_size"};
    struct dbk_cluster *cluster = open_cluster(*state);
    struct pg_result *result;
    bool bounded = false;
    struct pg *pg;

    assert_int_equal(pg_open(dbk_cluster_database(cluster), &options, &pg, NULL),
                     DBK_OK);
    for (int waited = 0; waited < PATIENCE_MS && !bounded; waited += 10) {
        assert_int_equal(pg_run(pg, &show, NULL, 0, 5000, &result, NULL), DBK_OK);
        bounded = !strcmp(pg_value(result, 0, 0).data, "128MB"); /* of an empty log */
        pg_clear(result);
        pause_10ms();
    }
    assert_true(bounded);
    pg_close(pg);
    dbk_cluster_close(cluster);
}

static void it_lies_where_it_is_told_to_and_is_one_logs(void **state)
{
    struct world *world = *state;
    char elsewhere[96], other[96];
    struct dbk_cluster_options options = {
        .data_dir = world->dir, .cluster_dir = elsewhere, .store_id = world->id};
    struct dbk_cluster_size size;
    struct dbk_cluster *first, *second;
    struct dbk_error err = {0};

    snprintf(elsewhere, sizeof elsewhere, "%s.elsewhere", world->dir);
    snprintf(other, sizeof other, "%s.other", world->dir);
    assert_int_equal(mkdir(other, 0755), 0);
    if (dbk_cluster_open(&options, &first, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_true(answers(dbk_cluster_database(first)));
    assert_true(exists(elsewhere, "postgres/base"));
    assert_int_equal(dbk_cluster_size(&options, &size, &err), DBK_OK);
    assert_true(size.bytes > size.wal_bytes && size.wal_bytes >= 16 << 20);
    options.data_dir = other;
    assert_int_equal(dbk_cluster_open(&options, &second, &err), DBK_CONFLICT);
    assert_non_null(strstr(err.text, "CLUSTER_DIR"));
    dbk_cluster_close(first);
    remove_tree(elsewhere, "");
    assert_int_equal(rmdir(other), 0);
}

static void a_place_whose_way_is_missing_is_told(void **state)
{
    struct world *world = *state;
    struct dbk_cluster_options options = {.data_dir = world->dir,
                                          .cluster_dir = "/nonexistent/disk",
                                          .store_id = world->id,
                                          .keep_trying = true};
    struct dbk_cluster *cluster;
    char why[256] = "";

    assert_int_equal(dbk_cluster_open(&options, &cluster, NULL), DBK_OK);
    assert_true(dbk_cluster_away(cluster, why, sizeof why));
    assert_non_null(strstr(why, "/nonexistent/disk"));
    dbk_cluster_close(cluster);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_has_waited_enough_leaves_nothing_half_made),
        cmocka_unit_test(without_programs_it_says_what_to_install),
        cmocka_unit_test(a_cluster_of_another_version_is_set_aside),
        cmocka_unit_test(
            who_keeps_trying_opens_without_programs_and_starts_once_they_are_there),
        cmocka_unit_test(of_damaged_clusters_the_last_is_kept),
        cmocka_unit_test(a_cluster_that_does_not_start_is_set_aside),
        cmocka_unit_test(what_is_taken_away_under_it_is_made_again),
        cmocka_unit_test(a_socket_that_is_taken_away_comes_back_with_the_same_files),
        cmocka_unit_test(lock_files_that_name_another_program_are_no_server),
        cmocka_unit_test(its_write_ahead_log_is_bounded),
        cmocka_unit_test(it_lies_where_it_is_told_to_and_is_one_logs),
        cmocka_unit_test(a_place_whose_way_is_missing_is_told),
    };

    return cmocka_run_group_tests(tests, make_world, remove_world) != 0;
}
