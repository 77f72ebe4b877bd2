/* The private cluster, with real servers and real kills. Started as
 * "test_projections_cluster hold DIR ID" this program is the other process. */
#include "cluster_world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* The other process. Closing in ends it in order. */
struct other {
    pid_t pid;
    int in, out;
};

static struct other start_other(const struct world *world)
{
    struct other other;
    int in[2], out[2];
    char id[DBK_UUID_TEXT + 1];

    dbk_uuid_format(&world->id, id);
    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    other.pid = fork();
    if (other.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execl("/proc/self/exe", "test", "hold", world->dir, id, (char *)NULL);
        _exit(127);
    }
    assert_true(other.pid > 0);
    close(in[0]);
    close(out[1]);
    other.in = in[1];
    other.out = out[0];
    return other;
}

/* The host that the other process connects to; blocks until it has opened. */
static void read_host(const struct other *other, char *host, size_t size)
{
    ssize_t length = read(other->out, host, size - 1);

    assert_true(length > 0);
    host[length] = '\0';
}

static void end_other(const struct other *other, int signal_number)
{
    int status;

    if (signal_number)
        kill(other->pid, signal_number);
    close(other->in);
    assert_int_equal(waitpid(other->pid, &status, 0), other->pid);
    close(other->out);
    if (!signal_number)
        assert_int_equal(status, 0);
}

static int hold(const char *dir, const char *id)
{
    struct dbk_cluster_options options = {.data_dir = dir};
    struct dbk_cluster *cluster;
    struct dbk_error err;
    char byte;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dbk_uuid_parse(id, strlen(id), &options.store_id);
    if (dbk_cluster_open(&options, &cluster, &err) != DBK_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    printf("%s", dbk_cluster_database(cluster)->host);
    fflush(stdout);
    while (read(0, &byte, 1) > 0)
        ;
    dbk_cluster_close(cluster);
    return 0;
}

static void the_cluster_starts_answers_and_stops(void **state)
{
    struct world *world = *state;
    struct dbk_cluster *cluster = open_cluster(world);

    assert_true(answers(dbk_cluster_database(cluster)));
    dbk_cluster_close(cluster);
    assert_int_equal(server_pid(world->dir), 0);
    assert_false(exists(world->dir, "postgres.tmp.*"));
}

static void it_has_room_for_all_reads_and_for_others(void **state)
{
    const struct pg_options options = {.connect_timeout_ms = 5000};
    const struct pg_statement show = {.sql = "show max_connections"};
    struct dbk_cluster *cluster = open_cluster(*state);
    struct pg_result *result;
    struct pg *pg;

    assert_int_equal(pg_open(dbk_cluster_database(cluster), &options, &pg, NULL),
                     DBK_OK);
    assert_int_equal(pg_run(pg, &show, NULL, 0, 5000, &result, NULL), DBK_OK);
    assert_true(pg_u64(result, 0, 0) >= DBK_CLUSTER_READS_MAX + 20);
    pg_clear(result);
    pg_close(pg);
    dbk_cluster_close(cluster);
}

static void another_process_attaches_and_leaves_it_running(void **state)
{
    struct world *world = *state;
    struct dbk_cluster *cluster = open_cluster(world);
    struct other other = start_other(world);
    pid_t server = server_pid(world->dir);
    char host[256];

    read_host(&other, host, sizeof host);
    assert_string_equal(host, dbk_cluster_database(cluster)->host);
    end_other(&other, 0);
    assert_int_equal(server_pid(world->dir), server);
    assert_true(answers(dbk_cluster_database(cluster)));
    dbk_cluster_close(cluster);
}

static void attaching_starts_nothing(void **state)
{
    struct world *world = *state;
    struct dbk_cluster_options options = {.data_dir = world->dir, .attach_only = true};
    struct dbk_cluster *cluster;
    struct dbk_error err;

    assert_int_equal(dbk_cluster_open(&options, &cluster, &err), DBK_UNAVAILABLE);
    assert_null(cluster);
    assert_int_equal(server_pid(world->dir), 0);
}

static void a_killed_server_comes_back(void **state)
{
    struct world *world = *state;
    struct dbk_cluster *cluster = open_cluster(world);
    pid_t server = server_pid(world->dir);

    assert_int_equal(kill(server, SIGKILL), 0);
    assert_true(comes_back(world, dbk_cluster_database(cluster), server));
    assert_true(dbk_cluster_restarted(cluster));
    dbk_cluster_close(cluster);
    assert_int_equal(server_pid(world->dir), 0);
}

static void who_is_left_starts_it_again(void **state)
{
    struct world *world = *state;
    struct dbk_cluster *cluster = open_cluster(world);
    struct other other = start_other(world);
    pid_t server = server_pid(world->dir);
    struct dbk_database database;
    char host[256];

    read_host(&other, host, sizeof host);
    database = *dbk_cluster_database(cluster);
    database.host = host;
    dbk_cluster_close(cluster); /* which has started it */
    assert_true(comes_back(world, &database, server));
    server = server_pid(world->dir);
    end_other(&other, 0);
    assert_true(ends(server));
    assert_int_equal(server_pid(world->dir), 0);
}

/* Also where it was killed, and could not say so. */
static void who_is_left_knows_that_it_was_started_again(void **state)
{
    struct world *world = *state;

    for (int killed = 0; killed < 2; killed++) {
        struct other owner = start_other(world);
        struct dbk_cluster *cluster;
        char host[256];
        pid_t server;

        read_host(&owner, host, sizeof host);
        cluster = open_cluster(world);
        server = server_pid(world->dir);
        assert_false(dbk_cluster_restarted(cluster));
        end_other(&owner, killed ? SIGKILL : 0);
        assert_true(comes_back(world, dbk_cluster_database(cluster), server));
        assert_true(dbk_cluster_restarted(cluster));
        assert_false(dbk_cluster_restarted(cluster));
        dbk_cluster_close(cluster);
        assert_int_equal(server_pid(world->dir), 0);
    }
}

static void who_only_uses_it_may_be_killed(void **state)
{
    struct world *world = *state;
    struct dbk_cluster *cluster = open_cluster(world);
    struct other other = start_other(world);
    pid_t server = server_pid(world->dir);
    char host[256];

    read_host(&other, host, sizeof host);
    end_other(&other, SIGKILL);
    assert_true(answers(dbk_cluster_database(cluster)));
    assert_int_equal(server_pid(world->dir), server);
    dbk_cluster_close(cluster);
}

static void all_killed_it_ends(void **state)
{
    struct world *world = *state;
    struct other others[3];
    char host[256];
    pid_t server;

    for (size_t i = 0; i < 3; i++) {
        others[i] = start_other(world);
        read_host(&others[i], host, sizeof host);
    }
    server = server_pid(world->dir);
    assert_true(server > 0);
    for (size_t i = 0; i < 3; i++) /* all of them, before one can see it of another */
        kill(others[i].pid, SIGSTOP);
    for (size_t i = 0; i < 3; i++)
        end_other(&others[i], SIGKILL);
    assert_true(ends(server));
}

static void one_of_those_that_come_at_once_starts_it(void **state)
{
    struct world *world = *state;
    struct other others[3];
    char host[256];
    pid_t server = 0;

    for (size_t i = 0; i < 3; i++)
        others[i] = start_other(world);
    for (size_t i = 0; i < 3; i++) {
        read_host(&others[i], host, sizeof host);
        server = server ? server : server_pid(world->dir);
        assert_int_equal(server_pid(world->dir), server);
    }
    for (size_t i = 0; i < 3; i++)
        end_other(&others[i], 0);
    assert_true(ends(server));
}

static void its_owner_need_not_run_for_others_to_use_it(void **state)
{
    struct world *world = *state;
    struct other owner = start_other(world);
    struct dbk_cluster *cluster;
    char host[256];

    read_host(&owner, host, sizeof host);
    assert_int_equal(kill(owner.pid, SIGSTOP), 0);
    cluster = open_cluster(world);
    assert_true(answers(dbk_cluster_database(cluster)));
    dbk_cluster_close(cluster);
    assert_int_equal(kill(owner.pid, SIGCONT), 0);
    end_other(&owner, 0);
    assert_int_equal(server_pid(world->dir), 0);
}

static bool has_said(const struct other *other)
{
    struct pollfd said = {.fd = other->out, .events = POLLIN};

    return poll(&said, 1, 500) == 1;
}

/* Stopped, the server that was left behind ends only later. */
static void check_that_two_never_run(struct world *world, bool locked)
{
    struct other owner = start_other(world), next;
    char host[256];
    pid_t server;

    read_host(&owner, host, sizeof host);
    server = server_pid(world->dir);
    assert_int_equal(kill(server, SIGSTOP), 0);
    end_other(&owner, SIGKILL);
    if (!locked)
        remove_tree(world->dir, "postgres.lock");
    next = start_other(world);
    assert_false(has_said(&next));
    assert_int_equal(server_pid(world->dir), server);
    assert_int_equal(kill(server, SIGCONT), 0);
    read_host(&next, host, sizeof host);
    assert_true(ends(server));
    assert_true(server_pid(world->dir) > 0);
    end_other(&next, 0);
}

static void never_do_two_servers_run(void **state)
{
    check_that_two_never_run(*state, true);
}

/* As one that a version before this has started. */
static void nor_beside_one_that_holds_no_lock(void **state)
{
    check_that_two_never_run(*state, false);
}

/* The number of a leftover may be any program's after the machine started again. */
static void a_pid_file_of_another_program_is_no_server(void **state)
{
    struct world *world = *state;
    struct dbk_cluster *cluster;
    char text[256];

    snprintf(text, sizeof text, "%ld\n%s/postgres\n0\n5432\n/tmp\n", (long)getpid(),
             world->dir);
    write_file(world->dir, "postgres/postmaster.pid", text);
    cluster = open_cluster(world);
    assert_true(answers(dbk_cluster_database(cluster)));
    dbk_cluster_close(cluster);
}

static void a_long_path_has_its_socket_elsewhere(void **state)
{
    struct world *world = *state;
    char long_dir[256], socket_dir[128], id[DBK_UUID_TEXT + 1];
    struct dbk_cluster_options options = {.data_dir = long_dir, .store_id = world->id};
    struct dbk_cluster *cluster;
    struct dbk_error err = {0};

    snprintf(long_dir, sizeof long_dir, "%s.%0100d", world->dir, 1);
    assert_int_equal(rename(world->dir, long_dir), 0);
    if (dbk_cluster_open(&options, &cluster, &err) != DBK_OK)
        fail_msg("%s", err.text);
    snprintf(socket_dir, sizeof socket_dir, "%s", dbk_cluster_database(cluster)->host);
    dbk_uuid_format(&world->id, id);
    assert_memory_equal(socket_dir, "/tmp/daybook-", 13);
    assert_memory_equal(socket_dir + 13, id, DBK_UUID_TEXT);
    assert_int_equal(socket_dir[13 + DBK_UUID_TEXT], '-');
    assert_true(answers(dbk_cluster_database(cluster)));
    dbk_cluster_close(cluster);
    assert_int_equal(access(socket_dir, F_OK), -1);
    assert_int_equal(rename(long_dir, world->dir), 0);
}

static void an_interrupted_first_start_is_made_again(void **state)
{
    struct world *world = *state;
    struct other owner;
    struct dbk_cluster *cluster;
    bool begun = false;

    remove_tree(world->dir, "postgres");
    owner = start_other(world);
    for (int waited = 0; waited < PATIENCE_MS && !begun; waited += 10) {
        pause_10ms();
        begun = exists(world->dir, "postgres.tmp.*/global");
    }
    assert_true(begun);
    end_other(&owner, SIGKILL);
    assert_false(exists(world->dir, "postgres"));
    cluster = open_cluster(world);
    assert_true(answers(dbk_cluster_database(cluster)));
    dbk_cluster_close(cluster);
}

static void keep_line(void *context, const char *line)
{
    if (strstr(line, "/var/lib/daybook-postgres"))
        snprintf((char *)context, 256, "%s", line);
}

/* Two threads report, but only the first lines, before the other runs, are kept. */
static void where_its_user_cannot_go_it_lies_outside(void **state)
{
    struct world *world = *state;
    char told[256] = "", outside[128], id[DBK_UUID_TEXT + 1];
    struct dbk_cluster_options options = {
        .data_dir = world->dir,
        .store_id = world->id,
        .watch = {.report = keep_line, .context = told}};
    struct dbk_cluster *cluster;
    struct dbk_error err = {0};

    if (geteuid() != 0)
        skip();
    dbk_uuid_format(&world->id, id);
    snprintf(outside, sizeof outside, "/var/lib/daybook-postgres/%s-", id);
    remove_tree(world->dir, "postgres");
    assert_int_equal(chmod(world->dir, 0700), 0);
    if (dbk_cluster_open(&options, &cluster, &err) != DBK_OK)
        fail_msg("%s", err.text);
    assert_true(answers(dbk_cluster_database(cluster)));
    assert_non_null(strstr(told, outside));
    snprintf(outside, sizeof outside, "%s", dbk_cluster_database(cluster)->host);
    assert_string_equal(strrchr(outside, '/'), "/postgres");
    *strrchr(outside, '/') = '\0';
    assert_non_null(strstr(told, outside));
    dbk_cluster_close(cluster);
    assert_false(exists(world->dir, "postgres"));
    remove_tree(outside, "");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cluster_starts_answers_and_stops),
        cmocka_unit_test(it_has_room_for_all_reads_and_for_others),
        cmocka_unit_test(another_process_attaches_and_leaves_it_running),
        cmocka_unit_test(attaching_starts_nothing),
        cmocka_unit_test(a_killed_server_comes_back),
        cmocka_unit_test(who_is_left_starts_it_again),
        cmocka_unit_test(who_is_left_knows_that_it_was_started_again),
        cmocka_unit_test(who_only_uses_it_may_be_killed),
        cmocka_unit_test(all_killed_it_ends),
        cmocka_unit_test(one_of_those_that_come_at_once_starts_it),
        cmocka_unit_test(its_owner_need_not_run_for_others_to_use_it),
        cmocka_unit_test(never_do_two_servers_run),
        cmocka_unit_test(nor_beside_one_that_holds_no_lock),
        cmocka_unit_test(a_pid_file_of_another_program_is_no_server),
        cmocka_unit_test(a_long_path_has_its_socket_elsewhere),
        cmocka_unit_test(an_interrupted_first_start_is_made_again),
        cmocka_unit_test(where_its_user_cannot_go_it_lies_outside),
    };

    if (argc == 4 && !strcmp(argv[1], "hold"))
        return hold(argv[2], argv[3]);
    return cmocka_run_group_tests(tests, make_world, remove_world) != 0;
}
