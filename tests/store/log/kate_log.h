/* kate_log.h - a sealed log with a person who has all there can be, marked so that it is found
 * wherever it was written. */
#ifndef KATE_LOG_H
#define KATE_LOG_H

#include "sealed_log.h"

#include "identity_log.h"

#include <fcntl.h>
#include <sys/stat.h>

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, sealed_setup, sealed_teardown)

/* Nothing like it is anywhere unless somebody wrote it. */
#define MARKER "zanzibar"

static inline char *read_file(const char *path, size_t *length)
{
    struct stat status;
    char *bytes;
    int fd = open(path, O_RDONLY);

    assert_true(fd >= 0 && fstat(fd, &status) == 0);
    *length = (size_t)status.st_size;
    bytes = malloc(*length + 1);
    assert_int_equal(read(fd, bytes, *length), (ssize_t)*length);
    close(fd);
    return bytes;
}

static inline void assert_not_in(const char *path, const char *text)
{
    size_t length;
    char *bytes = read_file(path, &length);

    if (memmem(bytes, length, text, strlen(text)))
        fail_msg("%s has \"%s\"", path, text);
    free(bytes);
}

static inline void assert_not_in_log(const struct scratch *s, const char *text)
{
    char path[160];

    snprintf(path, sizeof path, "%s/data.mdb", s->dir);
    assert_not_in(path, text);
}

static inline struct dbk_record marked_person(void)
{
    struct dbk_record draft = draft_person("a-" MARKER "@x.mock");

    draft.person.has = DBK_HAS_PERSON;
    draft.person.first_name = dbk_slice("F-" MARKER);
    draft.person.last_name = dbk_slice("L-" MARKER);
    draft.person.external_id = dbk_slice("X-" MARKER);
    draft.person.properties = dbk_slice("{\"p\": \"" MARKER "\"}");
    return draft;
}

static inline struct dbk_record marked_event(const struct dbk_uuid *person)
{
    struct dbk_record draft = draft_event(person);

    draft.event_type = dbk_slice("T-" MARKER);
    draft.properties = dbk_slice("{\"e\": \"" MARKER "\"}");
    return draft;
}

/* A person with all there can be, and an event of each kind. */
struct kate {
    struct dbk_record person, event, visit;
};

static inline struct kate add_kate(struct scratch *s)
{
    struct kate kate = {.person = marked_person(), .visit = marked_event(&nobody)};

    kate.event = marked_event(&kate.person.subject);
    kate.visit.anonymous_id = dbk_slice("A-" MARKER);
    assert_int_equal(submit(s, &kate.visit).code, DBK_OK);
    assert_int_equal(submit(s, &kate.person).code, DBK_OK);
    assert_int_equal(submit(s, &kate.event).code, DBK_OK);
    assert_int_equal(alias(s, &kate.person.subject, "A-" MARKER).code, DBK_OK);
    return kate;
}

/* Open the log anew, reading, with other keys or none. */
static inline enum dbk_code open_with(struct scratch *s, struct dbk_keys *keys,
                                      bool read_only)
{
    struct dbk_log_options options = {
        .map_size = (size_t)1 << 30, .keys = keys, .read_only = read_only};

    dbk_log_close(s->log);
    return dbk_log_open(s->dir, &options, &s->log, &s->err);
}

static inline void assert_erased(struct scratch *s, uint64_t sequence)
{
    struct dbk_batch batch = {0};
    struct dbk_record record = record_at(s, sequence, &batch);

    assert_true(record.erased);
    assert_int_equal(record.person.has, 0);
    assert_int_equal(record.properties.length + record.anonymous_id.length, 0);
    dbk_batch_finish(&batch);
}

#endif
