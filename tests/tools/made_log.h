/* made_log.h - a directory of a test's own, and logs filled with records of its choice. */
#ifndef MADE_LOG_H
#define MADE_LOG_H

#include "store/log.h"
#include "store/log_builder.h"

#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct made {
    char dir[64];
    struct dbk_error err;
};

/* Remove a directory and what is in it, two levels deep. */
static inline void made_remove(const char *dir)
{
    DIR *stream = opendir(dir);
    struct dirent *entry;
    char path[PATH_MAX];

    while (stream && (entry = readdir(stream))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (snprintf(path, sizeof path, "%s/%s", dir, entry->d_name) <
                (int)sizeof path &&
            unlink(path) != 0)
            made_remove(path);
    }
    if (stream)
        closedir(stream);
    rmdir(dir);
}

static inline int made_setup(void **state)
{
    struct made *made = calloc(1, sizeof *made);

    strcpy(made->dir, "/tmp/daybook-tools-XXXXXX");
    if (!mkdtemp(made->dir))
        return -1;
    *state = made;
    return 0;
}

static inline int made_teardown(void **state)
{
    struct made *made = *state;

    made_remove(made->dir);
    free(made);
    return 0;
}

/* dir/name; valid until the next call. */
static inline const char *made_path(const struct made *made, const char *name)
{
    static char path[192];

    snprintf(path, sizeof path, "%s/%s", made->dir, name);
    return path;
}

/* Fill dir/log with records; their sequences are given here. */
static inline void made_fill(struct made *made, struct dbk_record *records,
                             size_t count)
{
    static char bytes[DBK_RECORD_MAX];
    struct dbk_log_builder *builder;
    size_t length;

    assert_int_equal(dbk_log_builder_open(made_path(made, "log"), &builder, &made->err),
                     DBK_OK);
    for (size_t i = 0; i < count; i++) {
        records[i].sequence = i + 1;
        assert_int_equal(
            dbk_record_encode(&records[i], bytes, sizeof bytes, &length, &made->err),
            DBK_OK);
        if (dbk_log_builder_add(builder, bytes, length, &made->err) != DBK_OK)
            fail_msg("%s", made->err.text);
    }
    assert_int_equal(dbk_log_builder_finish(builder, &made->err), DBK_OK);
}

static inline struct dbk_log *made_open(struct made *made)
{
    /* A small map: sanitizers and other tests share the address space. */
    const struct dbk_log_options options = {.read_only = true,
                                            .map_size = (size_t)1 << 30};
    struct dbk_log *log;

    if (dbk_log_open(made_path(made, "log"), &options, &log, &made->err) != DBK_OK)
        fail_msg("%s", made->err.text);
    return log;
}

/* A person's creation, by number; and an event of that person. */
static inline struct dbk_uuid made_id(uint8_t kind, unsigned number)
{
    struct dbk_uuid id = {{kind, 0, 0, 0, 0, 0, 0x40, 0, 0x80}};

    id.bytes[14] = (uint8_t)(number >> 8);
    id.bytes[15] = (uint8_t)number;
    return id;
}

static inline struct dbk_record made_person(unsigned number, const char *email,
                                            dbk_timestamp at)
{
    return (struct dbk_record){.type = DBK_PERSON_CREATED,
                               .recorded_at = at,
                               .subject = made_id(0xAA, number),
                               .person = {.has = DBK_HAS_ALL,
                                          .email = dbk_slice(email),
                                          .first_name = dbk_slice("Kate"),
                                          .last_name = dbk_slice("Pryde"),
                                          .role = DBK_ROLE_USER},
                               .source = dbk_slice("test")};
}

static inline struct dbk_record made_event(unsigned number, unsigned person,
                                           dbk_timestamp at)
{
    return (struct dbk_record){.type = DBK_EVENT_RECORDED,
                               .recorded_at = at,
                               .subject = made_id(0xBB, number),
                               .person_id = made_id(0xAA, person),
                               .event_type = dbk_slice("click"),
                               .source = dbk_slice("test")};
}

#endif
