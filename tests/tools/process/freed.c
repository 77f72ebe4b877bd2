/* Nothing of a block is left once it was given back. Looks at memory that is not ours any
 * more, so it is built without a sanitizer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MARK "markerzqx"
#define LINKS 32 /* free blocks are linked by their first bytes */

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

static void a_block_that_was_freed_is_wiped(void **state)
{
    static const size_t sizes[] = {24, 100, 1000, 5000, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *block = malloc(sizes[i]), *behind = malloc(16); /* not the heap's end */
        uintptr_t was = (uintptr_t)block;

        assert_non_null(block);
        fill(block, sizes[i]);
        assert_true(has_mark(was, sizes[i]));
        free(block);
        assert_false(has_mark(was, sizes[i]));
        free(behind);
    }
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
