/* Keys on their way from one copy's ring into another's. */
#include "store/keys_share.h"

#include "scratch_ring.h"

#include <errno.h>

ssize_t __real_pwrite(int fd, const void *bytes, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset);
int __real_fdatasync(int fd);
int __wrap_fdatasync(int fd);

static int refused_syncs;   /* so many the disk refuses from now on */
static off_t written_to;    /* the end of what was written furthest */
static unsigned syncs_done; /* since this was 0, as the one before */

ssize_t __wrap_pwrite(int fd, const void *bytes, size_t length, off_t offset)
{
    if (offset + (off_t)length > written_to)
        written_to = offset + (off_t)length;
    return __real_pwrite(fd, bytes, length, offset);
}

int __wrap_fdatasync(int fd)
{
    if (refused_syncs > 0) {
        refused_syncs--;
        errno = EIO;
        return -1;
    }
    syncs_done++;
    return __real_fdatasync(fd);
}

enum { COUNT = 100 };
#define THERE (DBK_KEYS_AHEAD + 4096) /* keys that a new ring has */

struct parcel {
    char *bytes;
    size_t length;
};

static struct dbk_slice slice_of(const struct parcel *parcel)
{
    return (struct dbk_slice){parcel->bytes, parcel->length};
}

static struct parcel parcel_of(struct ring *r, uint64_t first, uint32_t count,
                               bool made)
{
    struct parcel parcel;

    if (dbk_keys_parcel(r->keys, first, count, made, &parcel.bytes, &parcel.length,
                        &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
    return parcel;
}

static void assert_taken(struct ring *r, const struct parcel *parcel)
{
    if (dbk_keys_take(r->keys, slice_of(parcel), 0, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
}

static enum dbk_code take(struct ring *r, const struct parcel *parcel, uint64_t used)
{
    return dbk_keys_take(r->keys, slice_of(parcel), used, &r->err);
}

static void copy_from(const struct ring *r, const struct ring *other, const char *name)
{
    char command[400];

    snprintf(command, sizeof command, "cp -p %s %s", in_ring(r, name),
             in_ring(other, name));
    assert_int_equal(system(command), 0);
}

/* A member that begins: the master key, and no ring. */
static void other_begin(struct ring *other, const struct ring *r)
{
    void *state;

    assert_int_equal(ring_setup_none(&state), 0);
    *other = *(struct ring *)state;
    free(state);
    assert_int_equal(mkdir(other->dir, 0700), 0);
    if (access(in_ring(r, "master"), F_OK) == 0)
        copy_from(r, other, "master");
}

/* ... and has what the other has. */
static void other_make(struct ring *other, struct ring *r)
{
    struct parcel all = parcel_of(r, 1, THERE, false);

    other_begin(other, r);
    if (dbk_keys_make_of(other->dir, NULL, slice_of(&all), &other->err) != DBK_OK)
        fail_msg("%s", other->err.text);
    open_keys(other);
    free(all.bytes);
}

static void other_end(struct ring *other)
{
    char command[128];

    dbk_keys_close(other->keys);
    snprintf(command, sizeof command, "rm -r %s", other->root);
    assert_int_equal(system(command), 0);
}

static void assert_same_key(struct ring *a, struct ring *b, uint64_t number)
{
    uint8_t one[DBK_KEY_BYTES], other[DBK_KEY_BYTES];

    assert_int_equal(get(a, number, one), DBK_OK);
    assert_int_equal(get(b, number, other), DBK_OK);
    assert_memory_equal(one, other, sizeof one);
}

static void a_ring_is_made_of_what_another_has(void **state)
{
    struct ring *r = *state, other;
    const uint64_t gone = 7;
    uint8_t key[DBK_KEY_BYTES], tags[2][DBK_KEY_TAG_BYTES];
    struct dbk_keys_state is;

    assert_int_equal(dbk_keys_erase(r->keys, &gone, 1, 0, NULL), DBK_OK);
    other_make(&other, r);
    assert_same_key(r, &other, 1);
    assert_same_key(r, &other, THERE);
    assert_int_equal(get(&other, gone, key), DBK_NOT_FOUND);
    assert_int_equal(dbk_keys_state(other.keys, &is, NULL), DBK_OK);
    assert_int_equal(is.count, THERE);
    dbk_keys_tag(r->keys, DBK_TAG_EMAIL, dbk_slice("kate@x.mock"), tags[0]);
    dbk_keys_tag(other.keys, DBK_TAG_EMAIL, dbk_slice("kate@x.mock"), tags[1]);
    assert_memory_equal(tags[0], tags[1], sizeof tags[0]);
    other_end(&other);
}

static void keys_that_are_made_are_in_no_ring_until_they_are_taken(void **state)
{
    struct ring *r = *state, other;
    struct parcel parcel;
    uint8_t key[DBK_KEY_BYTES];

    other_make(&other, r);
    parcel = parcel_of(r, THERE + 1, COUNT, true);
    assert_int_equal(get(r, THERE + 1, key), DBK_INVALID);
    for (int i = 0; i < 2; i++) { /* again is as good as once */
        assert_taken(r, &parcel);
        assert_taken(&other, &parcel);
    }
    assert_same_key(r, &other, THERE + 1);
    assert_same_key(r, &other, THERE + COUNT);
    assert_int_equal(get(r, THERE + COUNT + 1, key), DBK_INVALID);
    free(parcel.bytes);
    other_end(&other);
}

/* A leader's that was deposed before they came, and what comes in their place. */
static void what_nobody_has_used_is_replaced_and_no_other(void **state)
{
    struct ring *r = *state;
    struct parcel parcel = parcel_of(r, THERE - 9, COUNT, true);
    uint8_t used[DBK_KEY_BYTES], unused[DBK_KEY_BYTES], now[DBK_KEY_BYTES];

    assert_int_equal(get(r, THERE - 5, used), DBK_OK);
    assert_int_equal(get(r, THERE - 4, unused), DBK_OK);
    assert_int_equal(take(r, &parcel, THERE - 5), DBK_OK);
    assert_int_equal(get(r, THERE - 5, now), DBK_OK);
    assert_memory_equal(used, now, sizeof now);
    assert_int_equal(get(r, THERE - 4, now), DBK_OK);
    assert_memory_not_equal(unused, now, sizeof now);
    free(parcel.bytes);
}

/* What reads as it was written may not be on disk then, and the next sync says nothing of it. */
static void what_a_refused_sync_left_is_written_again(void **state)
{
    enum { FIRST = 1000, USED = 900 };
    struct ring *r = *state;
    struct parcel parcel = parcel_of(r, FIRST, COUNT, true);
    uint8_t taken[DBK_KEY_BYTES], now[DBK_KEY_BYTES];

    assert_int_equal(dbk_keys_ahead(r->keys, USED, &r->err), DBK_OK);
    refused_syncs = 1;
    assert_int_equal(take(r, &parcel, USED), DBK_IO);
    assert_int_equal(refused_syncs, 0);
    assert_int_equal(get(r, FIRST, taken), DBK_OK);
    written_to = 0;
    syncs_done = 0;
    assert_int_equal(dbk_keys_ahead(r->keys, USED, &r->err), DBK_OK);
    assert_true(written_to >= (off_t)RING_SLOT_AT(FIRST + COUNT));
    assert_int_equal(syncs_done, 1);
    assert_int_equal(get(r, FIRST, now), DBK_OK);
    assert_memory_equal(taken, now, sizeof now);
    assert_int_equal(dbk_keys_ahead(r->keys, USED, &r->err), DBK_OK);
    assert_int_equal(syncs_done, 1); /* once is enough */
    free(parcel.bytes);
}

static void nothing_in_it_can_be_read_and_no_byte_changed(void **state)
{
    static const size_t places[] = {0, 16, 24, 28, 52, 52 + 32, 1000};
    struct ring *r = *state;
    struct parcel parcel = parcel_of(r, 1, COUNT, false);
    uint8_t key[DBK_KEY_BYTES];

    assert_int_equal(get(r, 1, key), DBK_OK);
    assert_null(memmem(parcel.bytes, parcel.length, key, 8));
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        parcel.bytes[places[i]] ^= 1;
        assert_int_not_equal(take(r, &parcel, 0), DBK_OK);
        parcel.bytes[places[i]] ^= 1;
    }
    parcel.length--;
    assert_told(r, take(r, &parcel, 0), DBK_DAMAGED, "is none");
    parcel.length++;
    assert_taken(r, &parcel);
    free(parcel.bytes);
}

static void another_ring_takes_none(void **state)
{
    struct ring *r = *state, other;
    struct parcel parcel = parcel_of(r, THERE + 1, COUNT, true), far;

    other_begin(&other, r);
    assert_int_equal(dbk_keys_make(other.dir, NULL, &other.err), DBK_OK);
    open_keys(&other);
    assert_told(&other, take(&other, &parcel, 0), DBK_CONFLICT, "not the ring");
    free(parcel.bytes);
    far = parcel_of(r, THERE + 2, COUNT, true);
    assert_told(r, take(r, &far, 0), DBK_CONFLICT, "ends at key");
    free(far.bytes);
    other_end(&other);
}

static void put_master(const struct ring *r, const char *name, char digit)
{
    char text[2 * DBK_KEY_BYTES + 1];
    int fd = open(in_ring(r, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    memset(text, digit, sizeof text - 1);
    text[sizeof text - 1] = '\n';
    assert_int_equal(write(fd, text, sizeof text), sizeof text);
    close(fd);
}

/* As above, but the master key lies elsewhere, as it does in a cluster. */
static void two_apart(struct ring *r, struct ring *other)
{
    struct dbk_keys_options mine = {.master = in_ring(r, "../elsewhere")};
    struct dbk_keys_options theirs;
    struct parcel all;

    close_keys(r);
    rename(in_ring(r, "master"), mine.master);
    assert_int_equal(dbk_keys_open(r->dir, &mine, &r->keys, &r->err), DBK_OK);
    other_begin(other, r);
    theirs.read_only = false;
    theirs.master = in_ring(other, "../elsewhere");
    copy_from(r, other, "../elsewhere");
    all = parcel_of(r, 1, THERE, false);
    assert_int_equal(dbk_keys_make_of(other->dir, &theirs, slice_of(&all), &other->err),
                     DBK_OK);
    assert_int_equal(dbk_keys_open(other->dir, &theirs, &other->keys, &other->err),
                     DBK_OK);
    free(all.bytes);
}

/* The steps of the operator: the next master key to all, then one after the other rotates. */
static void while_some_have_rotated_all_can_take(void **state)
{
    struct ring *r = *state, other;
    struct dbk_keys_rotation done;
    struct parcel parcel;

    two_apart(r, &other);
    assert_false(dbk_keys_has_next(r->keys));
    put_master(r, "../elsewhere.new", 'b');
    assert_true(dbk_keys_has_next(r->keys));
    parcel = parcel_of(r, THERE + 1, COUNT, true);
    assert_told(&other, take(&other, &parcel, 0), DBK_UNAVAILABLE, "elsewhere.new");
    assert_non_null(strstr(other.err.text, "anew from a backup"));
    put_master(&other, "../elsewhere.new", 'b');
    assert_taken(&other, &parcel);
    assert_taken(r, &parcel);
    free(parcel.bytes);

    assert_int_equal(dbk_keys_rotate(r->keys, &done, &r->err), DBK_OK);
    assert_true(done.done);
    for (unsigned i = 0; i < 2; i++) { /* one of each to the other */
        parcel = parcel_of(i ? r : &other, THERE + COUNT * (1 + i) + 1, COUNT, true);
        assert_taken(&other, &parcel);
        assert_taken(r, &parcel);
        free(parcel.bytes);
    }
    assert_int_equal(dbk_keys_rotate(other.keys, &done, &other.err), DBK_OK);
    for (uint64_t at = 1; at <= THERE + 3 * COUNT; at += 50)
        assert_same_key(r, &other, at);
    other_end(&other);
}

static void a_ring_needs_the_others_master_key(void **state)
{
    struct ring *r = *state, other;
    struct parcel all = parcel_of(r, 1, COUNT, false);

    other_begin(&other, r);
    remove(in_ring(&other, "master"));
    assert_told(&other, dbk_keys_make_of(other.dir, NULL, slice_of(&all), &other.err),
                DBK_NOT_FOUND, "no master key");
    put_master(&other, "master", 'c');
    assert_told(&other, dbk_keys_make_of(other.dir, NULL, slice_of(&all), &other.err),
                DBK_CONFLICT, "another master key");
    assert_int_not_equal(access(in_ring(&other, "ring"), F_OK), 0);
    free(all.bytes);
    other_end(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, ring_setup, ring_teardown)
        TEST(a_ring_is_made_of_what_another_has),
        TEST(keys_that_are_made_are_in_no_ring_until_they_are_taken),
        TEST(what_nobody_has_used_is_replaced_and_no_other),
        TEST(what_a_refused_sync_left_is_written_again),
        TEST(nothing_in_it_can_be_read_and_no_byte_changed),
        TEST(another_ring_takes_none),
        TEST(while_some_have_rotated_all_can_take),
        TEST(a_ring_needs_the_others_master_key),
    };

    return cmocka_run_group_tests(tests, make_template, remove_template) != 0;
}
