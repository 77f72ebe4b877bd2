/* copied_log.h - another copy of a sealed log, which applies its records. */
#ifndef COPIED_LOG_H
#define COPIED_LOG_H

#include "kate_log.h"

#include "log_value.h"
#include "shipment_body.h"
#include "store/replicated.h"

static inline void copy_file(const char *from, const char *to)
{
    size_t length;
    char *bytes = read_file(from, &length);
    int fd = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_int_equal(write(fd, bytes, length), (ssize_t)length);
    close(fd);
    free(bytes);
}

/* Another copy of the log, still empty, with the ring as it is. */
static inline void open_copy(const struct scratch *s, struct scratch *copy)
{
    static const char *const names[] = {"ring", "master"};
    const struct dbk_place place = {.epoch = -1, .reseed = -1};
    struct dbk_uuid id = dbk_log_store_id(s->log);
    struct dbk_log_options options = {.map_size = (size_t)1 << 30, .store_id = &id};
    char from[160], to[160];

    snprintf(copy->dir, sizeof copy->dir, "%.60s.copy", s->dir);
    sealed_keys_dir(copy, to);
    assert_int_equal(mkdir(to, 0700), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(from, sizeof from, "%s.keys/%s", s->dir, names[i]);
        snprintf(to, sizeof to, "%s.keys/%s", copy->dir, names[i]);
        copy_file(from, to);
    }
    sealed_open_keys(copy);
    options.keys = copy->keys;
    assert_int_equal(dbk_log_open(copy->dir, &options, &copy->log, NULL), DBK_OK);
    assert_int_equal(dbk_log_put_place(copy->log, &place, NULL), DBK_OK);
}

/* The next record of the other, in a transaction of its own. */
static inline void apply_next(struct scratch *copy, struct dbk_log *from)
{
    struct shipment_body body = {.count = 0};
    struct dbk_batch batch = {0};
    struct dbk_place place;
    struct dbk_apply *apply;
    struct dbk_slice bytes;
    uint32_t checksum;
    uint64_t head;
    char value[1000];
    size_t length;

    assert_int_equal(
        dbk_log_apply_begin(copy->log, &apply, &place, &head, &checksum, NULL), DBK_OK);
    assert_int_equal(dbk_log_read(from, head, 1, SIZE_MAX, &batch, NULL), DBK_OK);
    length = batch.entries[0].length;
    log_value_write(value, batch.bytes, length);
    assert_int_equal(body_add_record(&body, value, length + LOG_VALUE_CHECKSUM), 0);
    assert_true(body_join(&body, &bytes));
    assert_int_equal(
        dbk_apply_batch(apply, head + 1, 1, bytes, &head, &checksum, &copy->err),
        DBK_OK);
    place.next++;
    assert_int_equal(dbk_apply_commit(apply, &place, NULL), DBK_OK);
    body_finish(&body);
    dbk_batch_finish(&batch);
}

static inline void remove_copy(struct scratch *copy)
{
    dbk_log_close(copy->log);
    dbk_keys_close(copy->keys);
    sealed_remove_keys(copy);
    scratch_remove(copy->dir);
}

static inline struct dbk_keys_state ring_of(const struct scratch *s)
{
    struct dbk_keys_state state;

    assert_int_equal(dbk_keys_state(s->keys, &state, NULL), DBK_OK);
    return state;
}

#endif
