#include "scratch_log.h"

#include "store/salvage.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>

#define TEST(name)                                                                     \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
#define PAGE 4096

enum { RECORDS = 400 };

/* A log of so many records, closed. */
static void fill(struct scratch *s)
{
    struct dbk_uuid kate = add_person(s, "kate@x.mock");

    for (int i = 1; i < RECORDS; i++) {
        struct dbk_record event = draft_event(&kate);
        char mark[64];

        snprintf(mark, sizeof mark, "{\"mark\": \"unmistakable %04d\"}", i + 1);
        event.properties = dbk_slice(mark);
        submit(s, &event);
    }
    dbk_log_close(s->log);
    s->log = NULL;
}

/* The file's bytes, to be changed and written back. */
struct file {
    char path[96];
    char *bytes;
    size_t size;
};

static void load(const struct scratch *s, struct file *file)
{
    struct stat status;
    int fd;

    snprintf(file->path, sizeof file->path, "%s/data.mdb", s->dir);
    fd = open(file->path, O_RDONLY);
    assert_int_equal(fstat(fd, &status), 0);
    file->size = (size_t)status.st_size;
    file->bytes = malloc(file->size);
    assert_int_equal(read(fd, file->bytes, file->size), file->size);
    close(fd);
}

static void store(struct file *file)
{
    int fd = open(file->path, O_WRONLY | O_TRUNC);

    assert_int_equal(write(fd, file->bytes, file->size), file->size);
    close(fd);
    free(file->bytes);
}

/* Pages that were freed keep old copies: `change` is done to each that has the record. */
static void each_copy(struct file *file, int sequence,
                      void (*change)(struct file *file, size_t at))
{
    char mark[64];
    size_t length;

    length = (size_t)snprintf(mark, sizeof mark, "unmistakable %04d", sequence);
    for (size_t at = 0; at + length < file->size; at++) {
        if (!memcmp(file->bytes + at, mark, length))
            change(file, at);
    }
}

static void flip(struct file *file, size_t at)
{
    file->bytes[at] ^= 1;
}

static void zero_page(struct file *file, size_t at)
{
    memset(file->bytes + at / PAGE * PAGE, 0, PAGE);
}

/* Its head tells of more entries than can be, and where they lie is nonsense. */
static void spoil_page(struct file *file, size_t at)
{
    memset(file->bytes + at / PAGE * PAGE + 12, 0xf3, 400);
}

/* The state of each sequence, and how many are right. */
static size_t read_all(struct scratch *s, enum dbk_salvaged_state states[RECORDS + 1])
{
    struct dbk_salvage *salvage;
    struct dbk_salvaged item;
    enum dbk_code code;
    size_t right = 0, count = 0;

    if (dbk_salvage_open(s->dir, 1, 0, &salvage, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
    assert_int_equal(dbk_salvage_head(salvage), RECORDS);
    while ((code = dbk_salvage_next(salvage, &item, &s->err)) == DBK_OK) {
        struct dbk_record record;

        assert_int_equal(item.sequence, ++count);
        states[count] = item.state;
        if (item.state != DBK_SALVAGED) {
            assert_int_not_equal(item.why[0], '\0');
            continue;
        }
        right++;
        assert_int_equal(dbk_record_decode(item.bytes, item.length, &record, NULL),
                         DBK_OK);
        assert_int_equal(record.sequence, item.sequence);
    }
    assert_int_equal(code, DBK_NOT_FOUND);
    assert_int_equal(count, RECORDS);
    dbk_salvage_close(salvage);
    return right;
}

static void a_right_log_is_read_whole(void **state)
{
    enum dbk_salvaged_state states[RECORDS + 1];
    struct scratch *s = *state;

    fill(s);
    assert_int_equal(read_all(s, states), RECORDS);
}

static void a_changed_record_is_told_and_the_rest_read(void **state)
{
    enum dbk_salvaged_state states[RECORDS + 1];
    struct scratch *s = *state;
    struct file file;

    fill(s);
    load(s, &file);
    each_copy(&file, 200, flip);
    store(&file);
    assert_int_equal(read_all(s, states), RECORDS - 1);
    assert_int_equal(states[200], DBK_SALVAGE_CHANGED);
}

static void a_lost_page_takes_its_own_records_only(void **state)
{
    void (*const changes[])(struct file *, size_t) = {zero_page, spoil_page};
    enum dbk_salvaged_state states[RECORDS + 1];
    struct scratch *s = *state;
    struct file file;

    fill(s);
    for (size_t i = 0; i < 2; i++) {
        size_t right;

        load(s, &file);
        each_copy(&file, i ? 200 : 100, changes[i]);
        store(&file);
        right = read_all(s, states);
        assert_int_equal(states[100], DBK_SALVAGE_LOST);
        if (i == 1)
            assert_int_not_equal(states[200], DBK_SALVAGED);
        assert_in_range(right, RECORDS - 160, RECORDS - 1);
        assert_int_equal(states[1], DBK_SALVAGED);
        assert_int_equal(states[RECORDS], DBK_SALVAGED);
    }
}

static void what_is_past_the_end_of_a_cut_file_is_lost(void **state)
{
    enum dbk_salvaged_state states[RECORDS + 1];
    struct scratch *s = *state;
    struct dbk_salvage *salvage;
    struct file file;
    size_t right = 0;

    fill(s);
    load(s, &file);
    file.size -= 4 * PAGE;
    store(&file);
    if (dbk_salvage_open(s->dir, 1, 0, &salvage, &s->err) == DBK_OK) {
        dbk_salvage_close(salvage);
        right = read_all(s, states);
    }
    assert_in_range(right, 0, RECORDS);
}

static void a_flipped_bit_anywhere_never_ends_the_one_who_asks(void **state)
{
    struct scratch *s = *state;
    struct file whole;

    fill(s);
    load(s, &whole);
    srand(7);
    for (int i = 0; i < 60; i++) {
        size_t at = (size_t)rand() % whole.size;
        struct dbk_salvage *salvage;
        struct dbk_salvaged item;
        struct file file = whole;

        if (i % 2) /* in the head of a page, where it leads LMDB astray */
            at = at / PAGE * PAGE + 10 + (size_t)rand() % 70;
        file.bytes = malloc(file.size);
        memcpy(file.bytes, whole.bytes, file.size);
        file.bytes[at] ^= (char)(1 << rand() % 8);
        store(&file);
        if (dbk_salvage_open(s->dir, 1, 0, &salvage, &s->err) != DBK_OK)
            continue;
        while (dbk_salvage_next(salvage, &item, &s->err) == DBK_OK)
            continue;
        dbk_salvage_close(salvage);
    }
    store(&whole);
}

static void what_is_not_there_is_told_at_once(void **state)
{
    struct scratch *s = *state;
    struct dbk_salvage *salvage;

    fill(s);
    assert_int_equal(dbk_salvage_open(s->dir, 1, RECORDS + 1, &salvage, &s->err),
                     DBK_NOT_FOUND);
    assert_int_equal(dbk_salvage_open("/nowhere", 1, 0, &salvage, &s->err),
                     DBK_NOT_FOUND);
    assert_null(salvage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_right_log_is_read_whole),
        TEST(a_changed_record_is_told_and_the_rest_read),
        TEST(a_lost_page_takes_its_own_records_only),
        TEST(what_is_past_the_end_of_a_cut_file_is_lost),
        TEST(a_flipped_bit_anywhere_never_ends_the_one_who_asks),
        TEST(what_is_not_there_is_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
