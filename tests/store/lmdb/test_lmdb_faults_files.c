/* Every error path of LMDB where a log is opened, copied, checked and repaired. */
#include "lmdb_sweep.h"

#include "store/backup.h"
#include "store/log_builder.h"
#include "store/restore.h"

static uint64_t filled; /* the head of the log, as fill() left it */

static bool read_only;

static enum dbk_code open_log(struct sweep *sweep)
{
    struct dbk_log_options options = {.map_size = (size_t)1 << 30,
                                      .read_only = read_only};

    return dbk_log_open(sweep->s->dir, &options, &sweep->s->log, &sweep->s->err);
}

static void close_again(struct sweep *sweep, enum dbk_code told)
{
    struct scratch *s = sweep->s;

    assert_true((s->log != NULL) == (told == DBK_OK));
    if (!s->log)
        scratch_open(s);
    assert_int_equal(head_of(s), filled);
    dbk_log_close(s->log);
    s->log = NULL;
}

static void close_and_remove(struct sweep *sweep, enum dbk_code told)
{
    close_again(sweep, told);
    scratch_remove(sweep->s->dir);
}

static void whatever_fails_opening_leaves_a_log_that_can_be_opened(void **state)
{
    struct scratch *s = *state;

    fill(s);
    filled = head_of(s);
    dbk_log_close(s->log);
    s->log = NULL;
    for (int i = 0; i < 2; i++) {
        struct sweep sweep = begin_sweep(s);

        read_only = i == 1;
        sweep_over(&sweep, NULL, open_log, close_again);
    }
}

static void whatever_fails_making_a_log_it_can_be_made(void **state)
{
    struct scratch *s = *state;
    struct sweep sweep = begin_sweep(s);

    dbk_log_close(s->log);
    s->log = NULL;
    scratch_remove(s->dir);
    filled = 0;
    read_only = false;
    sweep_over(&sweep, NULL, open_log, close_and_remove);
}

/* For what works beside a log that is closed here. */
static void fill_and_close(struct scratch *s)
{
    fill(s);
    filled = head_of(s);
    dbk_log_close(s->log);
    s->log = NULL;
}

static enum dbk_code back_up(struct sweep *sweep)
{
    const struct dbk_backup_options options = {.compact = true};

    return dbk_log_backup(sweep->s->dir, sweep->other, &options, &sweep->s->err);
}

static enum dbk_code restore(struct sweep *sweep)
{
    const struct dbk_restore_options options = {0};
    struct dbk_restored restored;

    return dbk_log_restore(sweep->s->dir, sweep->other, &options, &restored,
                           &sweep->s->err);
}

/* Nothing of it, or all of it. */
static void check_copy(struct sweep *sweep, enum dbk_code told)
{
    struct scratch copy = {.log = NULL};

    if (told != DBK_OK) {
        assert_int_not_equal(access(sweep->other, F_OK), 0);
        return;
    }
    snprintf(copy.dir, sizeof copy.dir, "%s", sweep->other);
    scratch_open(&copy);
    assert_int_equal(head_of(&copy), filled);
    dbk_log_close(copy.log);
    scratch_remove(copy.dir);
}

static void whatever_fails_a_backup_is_whole_or_not_there(void **state)
{
    struct sweep sweep = begin_sweep(*state);

    fill_and_close(*state);
    sweep_over(&sweep, NULL, back_up, check_copy);
}

static void whatever_fails_a_restored_log_is_whole_or_not_there(void **state)
{
    struct sweep sweep = begin_sweep(*state);

    fill_and_close(*state);
    sweep_over(&sweep, NULL, restore, check_copy);
}

/* A backup as it was before each try, and its head. */
static struct {
    char dir[80];
    uint64_t head;
} earlier;

static void copy_directory(const char *from, const char *to)
{
    char command[256];

    scratch_remove(to);
    snprintf(command, sizeof command, "cp -r %s %s", from, to);
    assert_int_equal(system(command), 0);
}

static void put_earlier_backup(struct sweep *sweep)
{
    copy_directory(earlier.dir, sweep->other);
}

static enum dbk_code append_to_backup(struct sweep *sweep)
{
    const struct dbk_backup_append_options options = {.finding = NULL};
    struct dbk_backup_appended appended;

    return dbk_log_backup_append(sweep->s->dir, sweep->other, &options, &appended,
                                 &sweep->s->err);
}

static void check_backup(struct sweep *sweep, enum dbk_code told)
{
    struct scratch copy = {.log = NULL};
    enum dbk_code code;
    uint64_t head;

    snprintf(copy.dir, sizeof copy.dir, "%s", sweep->other);
    assert_int_equal(findings_of(&copy, &code), 0);
    assert_int_equal(code, DBK_OK);
    scratch_open(&copy);
    head = head_of(&copy);
    dbk_log_close(copy.log);
    assert_in_range(head, told == DBK_OK ? filled : earlier.head, filled);
}

static void whatever_fails_a_backup_that_is_added_to_is_whole(void **state)
{
    struct sweep sweep = begin_sweep(*state);
    struct scratch *s = *state;

    add_person(s, "first@x.mock");
    earlier.head = head_of(s);
    snprintf(earlier.dir, sizeof earlier.dir, "%.60s.earlier", s->dir);
    dbk_log_close(s->log);
    copy_directory(s->dir, earlier.dir);
    scratch_open(s);
    fill_and_close(s);
    sweep_over(&sweep, put_earlier_backup, append_to_backup, check_backup);
    scratch_remove(sweep.other);
    scratch_remove(earlier.dir);
}

/* A log that cannot be read to its end must not be called sound. */
static enum dbk_code verify(struct sweep *sweep)
{
    enum dbk_code code;
    uint64_t findings = findings_of(sweep->s, &code);

    if (code == DBK_OK && findings > 0)
        return dbk_fail(&sweep->s->err, DBK_UNAVAILABLE, "there are %d findings",
                        (int)findings);
    return code;
}

static void whatever_fails_a_check_does_not_call_the_log_sound_unread(void **state)
{
    struct scratch *s = *state;
    struct sweep sweep = begin_sweep(s);

    fill_and_close(s);
    sweep_over(&sweep, NULL, verify, NULL);
    assert_sound(s);
}

static enum dbk_code repair(struct sweep *sweep)
{
    return dbk_log_repair_indexes(sweep->s->dir, NULL, NULL, &sweep->s->err);
}

static void whatever_fails_a_repair_is_done_or_not(void **state)
{
    struct scratch *s = *state;
    struct sweep sweep = begin_sweep(s);

    fill_and_close(s);
    sweep_over(&sweep, NULL, repair, NULL);
    assert_sound(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(whatever_fails_opening_leaves_a_log_that_can_be_opened),
        TEST(whatever_fails_making_a_log_it_can_be_made),
        TEST(whatever_fails_a_backup_is_whole_or_not_there),
        TEST(whatever_fails_a_restored_log_is_whole_or_not_there),
        TEST(whatever_fails_a_backup_that_is_added_to_is_whole),
        TEST(whatever_fails_a_check_does_not_call_the_log_sound_unread),
        TEST(whatever_fails_a_repair_is_done_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
