/* Many entries by id, found and none mistaken for another. */
#include "load_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

struct entry {
    struct dbk_uuid id;
    uint64_t number;
};

/* Ids that differ in a few bits only, zero among them. */
static struct dbk_uuid id_of(uint64_t number)
{
    struct dbk_uuid id = {{0}};

    memcpy(id.bytes + 8, &number, sizeof number);
    return id;
}

static void every_entry_is_found_with_what_it_holds(void **state)
{
    struct load_table table;
    struct dbk_error err;

    (void)state;
    load_table_init(&table, sizeof(struct entry));
    for (uint64_t i = 0; i < 100000; i++) {
        struct dbk_uuid id = id_of(i);
        void *entry;

        assert_null(load_table_find(&table, &id));
        assert_int_equal(load_table_add(&table, &id, &entry, &err), DBK_OK);
        assert_int_equal(((struct entry *)entry)->number, 0);
        ((struct entry *)entry)->number = i;
    }
    for (uint64_t i = 0; i < 100000; i++) {
        struct dbk_uuid id = id_of(i);
        struct entry *entry = load_table_find(&table, &id);

        assert_non_null(entry);
        assert_int_equal(entry->number, i);
        assert_true(dbk_uuid_equal(&entry->id, &id));
    }
    assert_int_equal(table.count, 100000);
    load_table_finish(&table);
}

static void entries_stay_where_they_are(void **state)
{
    struct dbk_uuid first = id_of(0);
    struct load_table table;
    void *entry, *other;

    (void)state;
    load_table_init(&table, sizeof(struct entry));
    assert_int_equal(load_table_add(&table, &first, &entry, NULL), DBK_OK);
    for (uint64_t i = 1; i < 50000; i++) {
        struct dbk_uuid id = id_of(i);

        assert_int_equal(load_table_add(&table, &id, &other, NULL), DBK_OK);
    }
    assert_ptr_equal(load_table_find(&table, &first), entry);
    load_table_finish(&table);
}

static void nothing_is_found_in_an_empty_one(void **state)
{
    struct dbk_uuid id = id_of(1);
    struct load_table table;

    (void)state;
    load_table_init(&table, sizeof(struct dbk_uuid));
    assert_null(load_table_find(&table, &id));
    load_table_finish(&table);
    load_table_finish(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_is_found_with_what_it_holds),
        cmocka_unit_test(entries_stay_where_they_are),
        cmocka_unit_test(nothing_is_found_in_an_empty_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
