/* Memory of large answers is kept for the next ones, and never much of it. */
#include "check.h"

#include "spares.h"

static void fill(struct dbk_render *render, size_t bytes)
{
    while (render->length < bytes)
        dbk_render_text(render, "0123456789abcdef");
}

static void a_large_one_is_lent_again_and_empty(void **state)
{
    struct dbk_render first = {0}, second = {0};
    struct spares spares;
    const char *memory;

    (void)state;
    spares_init(&spares);
    fill(&first, SPARES_LEAST);
    memory = first.text;
    spares_keep(&spares, &first);
    assert_int_equal(first.size, 0);
    spares_lend(&spares, &second);
    assert_ptr_equal(second.text, memory);
    assert_int_equal(second.length, 0);
    fill(&second, SPARES_LEAST);
    assert_ptr_equal(second.text, memory); /* there was room */
    dbk_render_finish(&second);
    spares_finish(&spares);
}

static void how_they_are_written_is_the_borrowers(void **state)
{
    struct dbk_render first = {.zone = true}, second = {0};
    struct spares spares;

    (void)state;
    spares_init(&spares);
    fill(&first, SPARES_LEAST);
    spares_keep(&spares, &first);
    assert_true(first.zone);
    spares_lend(&spares, &second);
    assert_false(second.zone);
    dbk_render_finish(&second);
    spares_finish(&spares);
}

static void neither_little_nor_very_large_ones_are_kept(void **state)
{
    struct dbk_render little = {0}, large = {0};
    struct spares spares;

    (void)state;
    spares_init(&spares);
    fill(&little, 1000);
    fill(&large, SPARES_MOST + 1);
    spares_keep(&spares, &little);
    spares_keep(&spares, &large);
    assert_int_equal(spares.count, 0);
    assert_true(little.size > 0 && large.size > 0);
    dbk_render_finish(&little);
    dbk_render_finish(&large);
    spares_finish(&spares);
}

static void no_more_than_a_few_are_kept(void **state)
{
    struct dbk_render render = {0};
    struct spares spares;

    (void)state;
    spares_init(&spares);
    for (int i = 0; i <= SPARES_MAX; i++) {
        dbk_render_finish(&render);
        fill(&render, SPARES_LEAST);
        spares_keep(&spares, &render);
    }
    assert_int_equal(spares.count, SPARES_MAX);
    assert_true(render.size > 0); /* one too many */
    dbk_render_finish(&render);
    spares_finish(&spares);
}

static void who_has_enough_borrows_none(void **state)
{
    struct dbk_render first = {0}, second = {0};
    struct spares spares;

    (void)state;
    spares_init(&spares);
    fill(&first, SPARES_LEAST);
    fill(&second, SPARES_LEAST);
    spares_keep(&spares, &first);
    dbk_render_clear(&second);
    spares_lend(&spares, &second);
    assert_int_equal(spares.count, 1);
    dbk_render_finish(&second);
    spares_finish(&spares);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_one_is_lent_again_and_empty),
        cmocka_unit_test(how_they_are_written_is_the_borrowers),
        cmocka_unit_test(neither_little_nor_very_large_ones_are_kept),
        cmocka_unit_test(no_more_than_a_few_are_kept),
        cmocka_unit_test(who_has_enough_borrows_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
