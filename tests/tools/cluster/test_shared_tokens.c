/* Two machines and a stream between them, made of nothing: what is changed in one's file comes
 * into the other's, once, in the stream's order. */
#include "shared_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "http/tokens.h"
#include "token_changes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MACHINES = 2, MESSAGES = 32 };

struct machine {
    char dir[64];
    struct shared_tokens *shared;
    struct cluster *cluster;
    size_t applied; /* messages of the stream */
    struct dbk_tokens kept;
};

struct cluster {
    struct machine machines[MACHINES];
    char *stream[MESSAGES];
    size_t sent;
    bool down;
    char said[1024];
};

static enum dbk_code send_changes(void *context, struct dbk_slice changes,
                                  struct dbk_error *err)
{
    struct cluster *cluster = context;

    if (cluster->down)
        return dbk_fail(err, DBK_UNAVAILABLE, "no broker answers");
    assert_true(cluster->sent < MESSAGES);
    cluster->stream[cluster->sent++] = strndup(changes.data, changes.length);
    return DBK_OK;
}

static void note(void *context, const char *line)
{
    struct cluster *cluster = context;

    snprintf(cluster->said, sizeof cluster->said, "%s", line);
}

static void open_machine(struct machine *machine)
{
    struct dbk_error err;

    assert_int_equal(shared_tokens_create(machine->dir, note, machine->cluster,
                                          &machine->shared, &err),
                     DBK_OK);
    /* Not started: the tests look themselves. */
    shared_tokens_use(machine->shared, send_changes, machine->cluster);
}

static int make_cluster(void **state)
{
    struct cluster *cluster = calloc(1, sizeof *cluster);

    for (size_t i = 0; i < MACHINES; i++) {
        struct machine *machine = &cluster->machines[i];

        machine->cluster = cluster;
        machine->kept.list = calloc(DBK_TOKENS_MAX, sizeof *machine->kept.list);
        strcpy(machine->dir, "/tmp/daybook-shared-XXXXXX");
        assert_non_null(mkdtemp(machine->dir));
        open_machine(machine);
    }
    *state = cluster;
    return 0;
}

static int remove_cluster(void **state)
{
    struct cluster *cluster = *state;
    char path[128];

    for (size_t i = 0; i < MACHINES; i++) {
        struct machine *machine = &cluster->machines[i];
        static const char *const files[] = {"tokens", "cluster/tokens", "cluster", ""};

        shared_tokens_destroy(machine->shared);
        dbk_tokens_finish(&machine->kept);
        for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
            snprintf(path, sizeof path, "%s/%s", machine->dir, files[f]);
            remove(path);
        }
    }
    for (size_t i = 0; i < cluster->sent; i++)
        free(cluster->stream[i]);
    free(cluster);
    return 0;
}

/* As src/replica does: the table is the fold of the stream's messages. */
static void fold(struct machine *machine, const char *text)
{
    for (const char *at = text; *at; at = strchr(at, '\n') + 1) {
        struct token_change change = {.revoked =
                                          strncmp(at, "{\"revoke\":\"", 11) == 0};
        struct token_changes one = {&change, 1};
        const char *value = strchr(at, ':') + 2, *end = strstr(at, "\"}\n");

        if (change.revoked)
            memcpy(change.token.name, value, (size_t)(end - value));
        else
            assert_true(dbk_token_parse(value, (size_t)(end - value), &change.token));
        token_changes_apply(&one, &machine->kept);
    }
}

static void tell_table(struct machine *machine)
{
    struct token_changes all;
    struct dbk_tokens none = {0};
    struct dbk_error err;
    size_t length;
    char *text;

    assert_int_equal(token_changes_find(&none, &machine->kept, &all, &err), DBK_OK);
    assert_int_equal(token_changes_write(&all, &text, &length, &err), DBK_OK);
    shared_tokens_came(machine->shared, (struct dbk_slice){text, length});
    free(text);
    token_changes_finish(&all);
}

static void apply(struct machine *machine)
{
    for (; machine->applied < machine->cluster->sent; machine->applied++) {
        fold(machine, machine->cluster->stream[machine->applied]);
        tell_table(machine);
    }
}

/* Everybody looks and applies until nothing moves; how many messages that took. */
static size_t settle(struct cluster *cluster)
{
    size_t before = cluster->sent, last;

    do {
        last = cluster->sent;
        for (size_t i = 0; i < MACHINES; i++)
            shared_tokens_look(cluster->machines[i].shared);
        for (size_t i = 0; i < MACHINES; i++)
            apply(&cluster->machines[i]);
    } while (cluster->sent > last);
    return cluster->sent - before;
}

static void create(struct machine *machine, const char *name)
{
    char secret[DBK_TOKEN_SECRET + 1];
    struct dbk_error err;

    assert_int_equal(
        dbk_tokens_create(machine->dir, name, DBK_SCOPE_READ, NULL, secret, &err),
        DBK_OK);
}

static void take_back(struct machine *machine, const char *name)
{
    struct dbk_error err;
    size_t left;

    assert_int_equal(dbk_tokens_revoke(machine->dir, name, false, &left, &err), DBK_OK);
}

/* The names in the file, in its order, with spaces between. */
static void assert_names(const struct machine *machine, const char *expected)
{
    struct dbk_tokens tokens;
    struct dbk_error err;
    char names[1024] = "";

    assert_int_equal(dbk_tokens_read(machine->dir, &tokens, &err), DBK_OK);
    for (size_t i = 0; i < tokens.count; i++) {
        strcat(names, i ? " " : "");
        strcat(names, tokens.list[i].name);
    }
    dbk_tokens_finish(&tokens);
    assert_string_equal(names, expected);
}

static void what_is_changed_on_one_comes_to_the_other_once(void **state)
{
    struct cluster *cluster = *state;
    struct machine *one = &cluster->machines[0], *other = &cluster->machines[1];

    create(one, "kate");
    assert_int_equal(settle(cluster), 1);
    assert_names(other, "kate");
    create(other, "bobby");
    assert_int_equal(settle(cluster), 1);
    assert_names(one, "kate bobby");
    take_back(other, "kate");
    assert_int_equal(settle(cluster), 1);
    assert_names(one, "bobby");
    assert_int_equal(settle(cluster), 0);
}

static void what_is_changed_while_brokers_are_away_is_told_later(void **state)
{
    struct cluster *cluster = *state;
    struct machine *one = &cluster->machines[0], *other = &cluster->machines[1];

    create(one, "kate");
    settle(cluster);
    cluster->down = true;
    create(one, "bobby");
    take_back(one, "kate");
    assert_int_equal(settle(cluster), 0);
    assert_non_null(strstr(cluster->said, "no broker answers"));
    assert_names(other, "kate");
    cluster->down = false;
    assert_int_equal(settle(cluster), 1);
    assert_non_null(strstr(cluster->said, "again"));
    assert_names(other, "bobby");
}

static void what_is_revoked_while_it_is_stopped_stays_so(void **state)
{
    struct cluster *cluster = *state;
    struct machine *one = &cluster->machines[0], *other = &cluster->machines[1];

    create(one, "kate");
    create(one, "bobby");
    settle(cluster);
    shared_tokens_destroy(one->shared);
    take_back(one, "kate");
    create(other, "ororo");
    shared_tokens_look(other->shared);
    apply(other);
    open_machine(one);
    tell_table(one); /* as the log has it, which is at the start */
    assert_names(one, "bobby");
    settle(cluster);
    assert_names(one, "bobby ororo");
    assert_names(other, "bobby ororo");
}

/* Before what was told has come back, somebody else's revocation must not be undone. */
static void what_is_on_its_way_is_not_told_again(void **state)
{
    struct cluster *cluster = *state;
    struct machine *one = &cluster->machines[0], *other = &cluster->machines[1];

    create(one, "kate");
    shared_tokens_look(one->shared);
    shared_tokens_look(one->shared);
    create(one, "bobby");
    shared_tokens_look(one->shared);
    assert_int_equal(cluster->sent, 2);
    apply(other);
    take_back(other, "kate");
    shared_tokens_look(other->shared);
    shared_tokens_look(one->shared);
    assert_int_equal(cluster->sent, 3);
    settle(cluster);
    assert_names(one, "bobby");
    assert_names(other, "bobby");
    assert_int_equal(cluster->sent, 3);
}

static void what_is_changed_here_outlives_what_comes_meanwhile(void **state)
{
    struct cluster *cluster = *state;
    struct machine *one = &cluster->machines[0], *other = &cluster->machines[1];

    create(other, "kate");
    shared_tokens_look(other->shared);
    create(one, "bobby"); /* not told yet */
    apply(one);
    assert_names(one, "kate bobby");
    settle(cluster);
    assert_names(other, "kate bobby");
}

/* An old file that was never agreed on brings back nothing under a name that is known. */
static void an_old_file_changes_nothing_that_others_know(void **state)
{
    struct cluster *cluster = *state;
    struct machine *one = &cluster->machines[0], *other = &cluster->machines[1];
    struct dbk_tokens tokens, others;
    struct dbk_error err;

    create(other, "kate"); /* another secret than the one below */
    create(other, "own");
    create(one, "kate");
    shared_tokens_look(one->shared);
    apply(one);
    apply(other);
    settle(cluster);
    assert_names(one, "kate own");
    assert_names(other, "kate own");
    assert_int_equal(dbk_tokens_read(one->dir, &tokens, &err), DBK_OK);
    assert_int_equal(dbk_tokens_read(other->dir, &others, &err), DBK_OK);
    assert_true(token_tables_equal(&tokens, &others));
    dbk_tokens_finish(&tokens);
    dbk_tokens_finish(&others);
}

/* Killed between the file and the note of what was agreed on. */
static void a_crash_between_the_two_files_tells_nothing_twice(void **state)
{
    struct cluster *cluster = *state;
    struct machine *one = &cluster->machines[0], *other = &cluster->machines[1];
    char path[128], saved[128];

    create(one, "ororo");
    settle(cluster);
    snprintf(path, sizeof path, "%s/cluster/tokens", one->dir);
    snprintf(saved, sizeof saved, "%s/saved", one->dir);
    assert_int_equal(link(path, saved), 0);
    create(other, "kate");
    settle(cluster);
    shared_tokens_destroy(one->shared);
    assert_int_equal(rename(saved, path), 0);
    open_machine(one);
    tell_table(one);
    assert_int_equal(settle(cluster), 0);
    take_back(other, "kate");
    settle(cluster);
    assert_names(one, "ororo");
}

static void a_file_that_is_removed_revokes_nothing(void **state)
{
    struct cluster *cluster = *state;
    struct machine *one = &cluster->machines[0], *other = &cluster->machines[1];
    char path[128];

    create(one, "kate");
    settle(cluster);
    snprintf(path, sizeof path, "%s/tokens", one->dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(settle(cluster), 0);
    create(other, "bobby");
    settle(cluster);
    assert_names(one, "kate bobby");
}

static void a_line_of_a_newer_program_is_left_out(void **state)
{
    struct dbk_tokens tokens;
    struct dbk_error err;
    const char *text = "{\"put\":\"kate read,fly 2026-11-25T10:16:17.330037 "
                       "0123456789abcdef0123456789abcdef0123456789abcdef"
                       "0123456789abcdef\"}\n{\"hop\":1}\n"
                       "{\"put\":\"bobby read 2026-11-25T10:16:17.330037 "
                       "0123456789abcdef0123456789abcdef0123456789abcdef"
                       "0123456789abcdef\"}\n";

    (void)state;
    assert_int_equal(token_changes_table(dbk_slice(text), &tokens, &err), DBK_OK);
    assert_int_equal(tokens.count, 1);
    assert_string_equal(tokens.list[0].name, "bobby");
    dbk_tokens_finish(&tokens);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_cluster, remove_cluster)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_changed_on_one_comes_to_the_other_once),
        TEST(what_is_changed_while_brokers_are_away_is_told_later),
        TEST(what_is_revoked_while_it_is_stopped_stays_so),
        TEST(what_is_on_its_way_is_not_told_again),
        TEST(what_is_changed_here_outlives_what_comes_meanwhile),
        TEST(an_old_file_changes_nothing_that_others_know),
        TEST(a_crash_between_the_two_files_tells_nothing_twice),
        TEST(a_file_that_is_removed_revokes_nothing),
        TEST(a_line_of_a_newer_program_is_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
