/* A copy that never ends, as LMDB's may be where one of its threads has met damage. */
#include "scratch_log.h"

#include "store/backup.h"

#include <lmdb.h>
#include <time.h>
#include <unistd.h>

int __wrap_mdb_env_copy2(MDB_env *env, const char *path, unsigned flags);
int __wrap_mdb_env_copy2(MDB_env *env, const char *path, unsigned flags)
{
    (void)env, (void)path, (void)flags;
    while (true)
        pause(); /* its parent ends it */
}

/* A clock on which ten seconds pass each time it is looked at, by whatever thread. */
int __real_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
    static _Atomic time_t passed;
    int rc = __real_clock_gettime(id, now);

    if (id == CLOCK_MONOTONIC)
        now->tv_sec += passed += 10;
    return rc;
}

static void a_copy_that_stands_still_is_ended_and_told(void **state)
{
    const struct dbk_backup_options options = {.compact = true};
    struct scratch *s = *state;
    char dir[80];

    add_person(s, "kate@x.mock");
    dbk_log_close(s->log); /* with its threads, for the copy forks */
    s->log = NULL;
    snprintf(dir, sizeof dir, "%.60s.bak", s->dir);
    assert_int_equal(dbk_log_backup(s->dir, dir, &options, &s->err), DBK_DAMAGED);
    assert_non_null(strstr(s->err.text, "has stood still"));
    assert_int_not_equal(access(dir, F_OK), 0); /* what was begun is removed */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        a_copy_that_stands_still_is_ended_and_told, scratch_setup, scratch_teardown)};

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
