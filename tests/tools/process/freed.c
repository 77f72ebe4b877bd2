/* Nothing of a block is left once it was given back. Looks at memory that is not ours any
 * more, so it is built without a sanitizer. */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define MARK "markerzqx"

static void fill(char *block, size_t size)
{
    for (size_t i = 0; i + sizeof MARK <= size; i += sizeof MARK)
        memcpy(block + i, MARK, sizeof MARK);
}

/* The compiler must not know that it was freed. */
static int has_mark(uintptr_t block, size_t size)
{
    const char *volatile bytes = (const char *)block;

    return memmem(bytes, size, MARK, strlen(MARK)) != NULL;
}

static char *aligned(size_t size)
{
    void *block = NULL;

    return posix_memalign(&block, 64, size) == 0 ? block : NULL;
}

static void a_block_that_was_freed_is_wiped(void **state)
{
    /* Smaller ones glibc writes over: free blocks are linked by their first bytes. */
    static const size_t sizes[] = {48, 100, 1000, 5000, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *blocks[] = {malloc(sizes[i]), calloc(sizes[i], 1), aligned(sizes[i])};

        for (size_t kind = 0; kind < sizeof blocks / sizeof *blocks; kind++) {
            uintptr_t was = (uintptr_t)blocks[kind];

            assert_non_null(blocks[kind]);
            fill(blocks[kind], sizes[i]);
            assert_true(has_mark(was, sizes[i]));
            free(blocks[kind]);
            assert_false(has_mark(was, sizes[i]));
        }
    }
}

static void what_it_has_room_for_can_be_used(void **state)
{
    (void)state;
    assert_int_equal(malloc_usable_size(NULL), 0);
    for (size_t size = 1; size < 2 << 20; size = size * 3 / 2 + 1) {
        char *block = malloc(size), *behind = malloc(size);
        size_t room = malloc_usable_size(block);

        assert_true(room >= size);
        memset(behind, 'b', size);
        memset(block, 'a', room);
        assert_int_equal(behind[0], 'b');
        assert_int_equal(behind[size - 1], 'b');
        free(block);
        free(behind);
    }
    assert_int_equal(posix_memalign(&(void *){NULL}, 24, 10), EINVAL);
}

/* As glibc ends the program itself: what is wiped must not hide it. */
static void given_back_twice_it_ends_the_program(void **state)
{
    pid_t child = fork();
    int status;

    (void)state;
    if (child == 0) {
        char *volatile block = malloc(100);

        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        signal(SIGABRT, SIG_DFL);
        free(block);
        free(block);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

/* Else it would be wiped whole each time: by itself, glibc learns to keep it. */
static void a_large_one_stays_a_mapping(void **state)
{
    void *volatile block = malloc(4 << 20); /* else the compiler sees no use */

    (void)state;
    free(block);
    assert_int_equal(mallinfo2().hblks, 0);
    block = malloc(4 << 20);
    assert_int_equal(mallinfo2().hblks, 1);
    free(block);
}

static void a_block_that_moves_leaves_nothing_behind(void **state)
{
    char *block = malloc(1000), *behind = malloc(16), *moved;
    uintptr_t was = (uintptr_t)block;

    (void)state;
    fill(block, 1000);
    moved = realloc(block, 100000);
    assert_non_null(moved);
    assert_int_not_equal((uintptr_t)moved, was);
    assert_memory_equal(moved, MARK, sizeof MARK);
    assert_memory_equal(moved + 99 * sizeof MARK, MARK, sizeof MARK);
    assert_false(has_mark(was, 1000));
    free(moved);
    free(behind);
}

static void one_that_shrinks_keeps_its_beginning(void **state)
{
    char *block = malloc(100000), *less;
    uintptr_t was = (uintptr_t)block;

    (void)state;
    fill(block, 100000);
    less = realloc(block, 50);
    assert_memory_equal(less, MARK MARK, sizeof MARK - 1);
    assert_false(has_mark(was + 100, 90000));
    less = realloc(less, 40); /* in its place */
    assert_memory_equal(less, MARK, sizeof MARK);
    assert_null(realloc(less, 0));
    free(NULL);
    less = realloc(NULL, 10);
    assert_non_null(less);
    free(less);
}

/* The system takes it back: it is only asked that nothing breaks. */
static void a_large_one_grows_and_goes(void **state)
{
    char *block = malloc(4 << 20);

    (void)state;
    fill(block, 4 << 20);
    block = realloc(block, 9 << 20);
    assert_non_null(block);
    assert_memory_equal(block + 1000 * sizeof MARK, MARK, sizeof MARK);
    block = realloc(block, 1 << 20);
    assert_memory_equal(block + 1000 * sizeof MARK, MARK, sizeof MARK);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_that_was_freed_is_wiped),
        cmocka_unit_test(a_block_that_moves_leaves_nothing_behind),
        cmocka_unit_test(one_that_shrinks_keeps_its_beginning),
        cmocka_unit_test(a_large_one_grows_and_goes),
        cmocka_unit_test(what_it_has_room_for_can_be_used),
        cmocka_unit_test(given_back_twice_it_ends_the_program),
        cmocka_unit_test(a_large_one_stays_a_mapping),
    };

    mallopt(M_TRIM_THRESHOLD, 1 << 30); /* what is looked at stays there */
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
