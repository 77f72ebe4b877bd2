/* What a tree is kept in and made from: its file, and a log that may be changed under it. */
#include "large_tree.h"
#include "signed_log.h"
#include "tree_private.h"

/* Its file. */

static char file[80], dir[64];

static int make_dir(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/daybook-tree-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(file, sizeof file, "%s/tree", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(file);
    return rmdir(dir);
}

static void flip(off_t offset)
{
    int fd = open(file, O_RDWR | O_CLOEXEC);
    char byte;

    assert_int_equal(pread(fd, &byte, 1, offset), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
    close(fd);
}

static off_t size_of_file(void)
{
    struct stat status;

    assert_int_equal(stat(file, &status), 0);
    return status.st_size;
}

static enum dbk_code load(struct dbk_tree **tree)
{
    const struct dbk_tree_source source = {.entries = made_entries};

    assert_int_equal(dbk_tree_create(&source, tree, NULL), DBK_OK);
    return dbk_tree_load(*tree, file, NULL);
}

static void its_file_has_32_bytes_for_256_and_gives_it_back(void **state)
{
    struct dbk_tree *tree = made_tree(1000), *again;
    struct dbk_hash root, other;

    (void)state;
    assert_int_equal(load(&again), DBK_NOT_FOUND);
    assert_int_equal(dbk_tree_save(tree, file, NULL), DBK_OK);
    assert_int_equal(size_of_file(), 32 + 3 * 32);
    assert_int_equal(dbk_tree_save(large, file, NULL), DBK_OK); /* of its own */
    assert_int_equal(size_of_file(), 32 + LARGE / 256 * 32);
    assert_int_equal(dbk_tree_load(again, file, NULL), DBK_OK);
    assert_int_equal(dbk_tree_size(again), LARGE / 256 * 256);
    assert_int_equal(dbk_tree_grow(again, LARGE, NULL, NULL), DBK_OK);
    assert_int_equal(dbk_tree_root(large, LARGE, &root, NULL), DBK_OK);
    assert_int_equal(dbk_tree_root(again, LARGE, &other, NULL), DBK_OK);
    assert_true(dbk_hash_equal(&root, &other));
    dbk_tree_destroy(tree);
    dbk_tree_destroy(again);
}

static void a_file_that_was_changed_or_cut_is_not_believed(void **state)
{
    struct dbk_tree *tree = made_tree(1000), *again;
    static const off_t places[] = {0, 16, 24, 28, 32, 32 + 95};

    (void)state;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        assert_int_equal(dbk_tree_save(tree, file, NULL), DBK_OK);
        flip(places[i]);
        assert_int_equal(load(&again), DBK_DAMAGED);
        assert_int_equal(dbk_tree_size(again), 0);
        dbk_tree_destroy(again);
        flip(places[i]);
    }
    assert_int_equal(truncate(file, 32 + 3 * 32 - 1), 0);
    assert_int_equal(load(&again), DBK_DAMAGED);
    dbk_tree_destroy(again);
    assert_int_equal(dbk_tree_save(tree, file, NULL), DBK_OK); /* all of it */
    assert_int_equal(load(&again), DBK_OK);
    dbk_tree_destroy(again);
    dbk_tree_destroy(tree);
}

/* Killed while it grew: the hashes are there, the header tells of fewer. */
static void a_file_whose_end_was_not_told_counts_up_to_what_was(void **state)
{
    struct dbk_tree *tree = made_tree(1000), *again;
    int fd;

    (void)state;
    assert_int_equal(dbk_tree_save(tree, file, NULL), DBK_OK);
    fd = open(file, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "half of what came", 17), 17);
    close(fd);
    assert_int_equal(load(&again), DBK_OK);
    assert_int_equal(dbk_tree_size(again), 768);
    assert_int_equal(dbk_tree_grow(again, 2000, NULL, NULL), DBK_OK);
    assert_int_equal(dbk_tree_save(again, file, NULL), DBK_OK);
    dbk_tree_destroy(again);
    assert_int_equal(load(&again), DBK_OK);
    assert_int_equal(dbk_tree_size(again), 1792);
    dbk_tree_destroy(again);
    dbk_tree_destroy(tree);
}

/* Of a log. */

static void fill_person(struct scratch *s, size_t events)
{
    struct dbk_uuid person = add_person(s, "kate@x.mock");

    fill(s, &person, events);
}

static void the_entries_of_a_log_are_the_digests_of_its_records(void **state)
{
    struct scratch *s = *state;
    struct dbk_tree_source source = dbk_tree_of_log(s->log);
    struct dbk_hash entries[2], expected;
    struct dbk_batch batch = {0};

    fill_person(s, 2);
    assert_int_equal(source.entries(source.context, 1, 2, entries, &s->err), DBK_OK);
    assert_int_equal(dbk_log_read(s->log, 1, 2, 1 << 20, &batch, &s->err), DBK_OK);
    for (size_t i = 0; i < 2; i++) {
        dbk_hash_entry(batch.bytes + batch.entries[i].offset, batch.entries[i].length,
                       &expected);
        assert_true(dbk_hash_equal(&entries[i], &expected));
    }
    dbk_batch_finish(&batch);
    assert_int_equal(source.entries(source.context, 2, 2, entries, &s->err),
                     DBK_DAMAGED);
    assert_string_equal(s->err.text, "the log ends before record 4, which was hashed: "
                                     "it was put back");
}

static void a_record_that_was_changed_is_found_where_it_is(void **state)
{
    struct scratch *s = *state;
    struct dbk_tree_source source;
    struct dbk_hash tile[DBK_TILE_WIDTH];
    struct dbk_proof proof;
    struct dbk_tree *tree;

    fill_person(s, 599);
    source = dbk_tree_of_log(s->log);
    assert_int_equal(dbk_tree_create(&source, &tree, NULL), DBK_OK);
    assert_int_equal(dbk_tree_grow(tree, 600, NULL, &s->err), DBK_OK);
    assert_int_equal(dbk_tree_tile(tree, 0, 1, 256, tile, &s->err), DBK_OK);
    change_record(s, 300);
    change_record(s, 590);
    tree->source = dbk_tree_of_log(s->log); /* it was opened again */
    assert_int_equal(dbk_tree_tile(tree, 0, 0, 256, tile, &s->err), DBK_OK);
    assert_int_equal(dbk_tree_tile(tree, 0, 1, 256, tile, &s->err), DBK_DAMAGED);
    assert_string_equal(s->err.text, "records 257 to 512: at least one is not what it "
                                     "was when they were hashed");
    assert_int_equal(dbk_tree_entries(tree, 1, 7, tile, &s->err), DBK_DAMAGED);
    assert_int_equal(dbk_tree_inclusion(tree, 257, 600, &proof, &s->err), DBK_DAMAGED);
    assert_int_equal(dbk_tree_inclusion(tree, 3, 600, &proof, &s->err), DBK_OK);
    assert_int_equal(dbk_tree_entries(tree, 2, 88, tile, &s->err), DBK_DAMAGED);
    assert_string_equal(s->err.text,
                        "record 590 is not what it was when it was hashed");
    assert_int_equal(dbk_tree_inclusion(tree, 588, 600, &proof, &s->err), DBK_OK);
    assert_int_equal(dbk_tree_inclusion(tree, 589, 600, &proof, &s->err), DBK_DAMAGED);
    dbk_tree_destroy(tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(its_file_has_32_bytes_for_256_and_gives_it_back,
                                        make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_file_that_was_changed_or_cut_is_not_believed,
                                        make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(
            a_file_whose_end_was_not_told_counts_up_to_what_was, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(
            the_entries_of_a_log_are_the_digests_of_its_records, scratch_setup,
            scratch_teardown),
        cmocka_unit_test_setup_teardown(a_record_that_was_changed_is_found_where_it_is,
                                        scratch_setup, scratch_teardown),
    };

    return cmocka_run_group_tests(tests, make_large, drop_large) != 0;
}
