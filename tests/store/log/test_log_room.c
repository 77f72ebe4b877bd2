/* How much room there is, told also where the file system does not say. */
#include "log_room.h"

#include "store/clock.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include <cmocka.h>

/* What the file system says, how often it was asked, and whether it hangs. */
static struct {
    uint64_t free;
    atomic_uint asked;
    atomic_bool hangs;
    sem_t asks, goes_on;
} disk;

int __wrap_statvfs(const char *path, struct statvfs *out);
int __wrap_statvfs(const char *path, struct statvfs *out)
{
    (void)path;
    atomic_fetch_add(&disk.asked, 1);
    if (atomic_load(&disk.hangs)) {
        sem_post(&disk.asks);
        sem_wait(&disk.goes_on);
    }
    memset(out, 0, sizeof *out);
    out->f_frsize = 1;
    out->f_bavail = disk.free;
    return 0;
}

static struct log_room_found found(struct log_room *room)
{
    struct log_room_found out;

    log_room_find(room, "/nowhere", &out);
    return out;
}

static int begin(void **state)
{
    disk.free = 5 * LOG_ROOM_MIN;
    atomic_store(&disk.asked, 0);
    atomic_store(&disk.hangs, false);
    *state = calloc(1, sizeof(struct log_room));
    return *state ? 0 : -1;
}

static int end(void **state)
{
    free(*state);
    return 0;
}

static void the_disk_is_asked_once_a_second_at_most(void **state)
{
    for (int i = 0; i < 1000; i++)
        assert_int_equal(found(*state).disk, disk.free);
    assert_true(atomic_load(&disk.asked) < 10);
    assert_true(found(*state).file == UINT64_MAX);
}

static void less_than_the_least_is_none(void **state)
{
    assert_true(log_room_is_there(*state, "/nowhere"));
    disk.free = LOG_ROOM_MIN - 1;
    assert_false(log_room_is_there(*state, "/nowhere"));
    assert_int_equal(found(*state).disk, disk.free); /* as of just now */
}

static void *look(void *room)
{
    found(room);
    return NULL;
}

static void one_that_hangs_keeps_one_and_is_told_to_the_others(void **state)
{
    struct log_room *room = *state;
    struct log_room_found out;
    pthread_t looker;

    assert_int_equal(found(room).hanging_ms, 0);
    atomic_store(&room->looked_at, dbk_clock_ms() - 60000);
    atomic_store(&disk.hangs, true);
    pthread_create(&looker, NULL, look, room);
    sem_wait(&disk.asks); /* it is in there */
    dbk_sleep_ms(5);
    out = found(room);
    assert_true(out.known && out.hanging_ms > 0);
    assert_int_equal(out.disk, disk.free);
    assert_int_equal(atomic_load(&disk.asked), 2);
    atomic_store(&disk.hangs, false);
    sem_post(&disk.goes_on);
    pthread_join(looker, NULL);
    assert_int_equal(found(room).hanging_ms, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_disk_is_asked_once_a_second_at_most, begin,
                                        end),
        cmocka_unit_test_setup_teardown(less_than_the_least_is_none, begin, end),
        cmocka_unit_test_setup_teardown(
            one_that_hangs_keeps_one_and_is_told_to_the_others, begin, end),
    };

    sem_init(&disk.asks, 0, 0);
    sem_init(&disk.goes_on, 0, 0);
    return cmocka_run_group_tests_name("log_room", tests, NULL, NULL) != 0;
}
