/* scratch_ring.h - a ring of keys in a directory of its own. */
#ifndef SCRATCH_RING_H
#define SCRATCH_RING_H

#include "ring_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ring {
    char root[64]; /* the ring lies in its folder keys */
    char dir[80];
    struct dbk_keys *keys;
    struct dbk_error err;
};

/* A path of a file of the ring's directory, or of `..`. */
static inline const char *in_ring(const struct ring *r, const char *name)
{
    static char paths[16][160];
    static unsigned next;
    char *path = paths[next++ % 16];

    snprintf(path, sizeof paths[0], "%s/%s", r->dir, name);
    return path;
}

static inline void open_keys(struct ring *r)
{
    if (dbk_keys_open(r->dir, NULL, &r->keys, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
}

static inline void close_keys(struct ring *r)
{
    dbk_keys_close(r->keys);
    r->keys = NULL;
}

static inline void reopen_keys(struct ring *r)
{
    close_keys(r);
    open_keys(r);
}

static inline enum dbk_code open_again(struct ring *r)
{
    close_keys(r);
    r->err = (struct dbk_error){.code = DBK_OK};
    return dbk_keys_open(r->dir, NULL, &r->keys, &r->err);
}

static inline int ring_setup_none(void **state)
{
    struct ring *r = calloc(1, sizeof *r);

    strcpy(r->root, "/tmp/daybook-ring-XXXXXX");
    if (!mkdtemp(r->root))
        return -1;
    snprintf(r->dir, sizeof r->dir, "%s/keys", r->root);
    *state = r;
    return 0;
}

/* A ring is made once, for it takes a while, and each test has a copy: all that these two
 * bring into a group of tests. */
static struct ring template;

static inline int make_template(void **state)
{
    (void)state;
    strcpy(template.root, "/tmp/daybook-ring-XXXXXX");
    if (!mkdtemp(template.root))
        return -1;
    snprintf(template.dir, sizeof template.dir, "%s/keys", template.root);
    if (dbk_keys_make(template.dir, NULL, &template.err) != DBK_OK)
        fail_msg("%s", template.err.text);
    return 0;
}

/* The same of so few slots that whatever goes through all of them is quick. */
enum { FEW = 70 };

static inline int make_few(void **state)
{
    if (make_template(state) != 0)
        return -1;
    return truncate(in_ring(&template, "ring"), RING_SLOT_AT(FEW + 1));
}

static inline int remove_template(void **state)
{
    char command[128];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", template.root);
    return system(command);
}

static inline int ring_setup_closed(void **state)
{
    struct ring *r;
    char command[256];

    if (ring_setup_none(state) != 0)
        return -1;
    r = *state;
    snprintf(command, sizeof command, "cp -rp %s %s", template.dir, r->dir);
    return system(command);
}

static inline int ring_setup(void **state)
{
    if (ring_setup_closed(state) != 0)
        return -1;
    open_keys(*state);
    return 0;
}

static inline int ring_teardown(void **state)
{
    struct ring *r = *state;
    char command[128];

    if (getuid() == 0 && seteuid(0) != 0) /* a test that failed as nobody */
        return -1;
    dbk_keys_close(r->keys);
    snprintf(command, sizeof command, "rm -r %s", r->root);
    if (system(command) != 0)
        return -1;
    free(r);
    return 0;
}

static inline enum dbk_code get(struct ring *r, uint64_t number,
                                uint8_t key[DBK_KEY_BYTES])
{
    r->err = (struct dbk_error){.code = DBK_OK};
    return dbk_keys_get(r->keys, number, key, &r->err);
}

/* It fails so, and says this. */
static inline void assert_told(const struct ring *r, enum dbk_code code,
                               enum dbk_code expected, const char *text)
{
    if (code != expected || !strstr(r->err.text, text))
        fail_msg("%d: %s", code, code == DBK_OK ? "no failure" : r->err.text);
}

/* Bytes of a file of the ring's directory. */
static inline void peek(const struct ring *r, const char *name, uint64_t at, void *out,
                        size_t length)
{
    int fd = open(in_ring(r, name), O_RDONLY);

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, out, length, (off_t)at), length);
    close(fd);
}

static inline void poke(const struct ring *r, const char *name, uint64_t at,
                        const void *bytes, size_t length)
{
    int fd = open(in_ring(r, name), O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, length, (off_t)at), length);
    close(fd);
}

static inline void write_file(const struct ring *r, const char *name, const char *bytes,
                              size_t length)
{
    int fd = open(in_ring(r, name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    close(fd);
}

static inline void copy_file(const struct ring *r, const char *from, const char *to)
{
    char command[400];

    snprintf(command, sizeof command, "cp -p %s %s", in_ring(r, from), in_ring(r, to));
    assert_int_equal(system(command), 0);
}

/* Whether these few slots have nothing of a key any more. */
static inline bool has_no_key(int fd)
{
    static const uint8_t nothing[RING_SLOT];
    uint8_t slot[RING_SLOT];

    for (int i = 1; i <= FEW; i++) {
        if (pread(fd, slot, sizeof slot, RING_SLOT_AT(i)) != RING_SLOT ||
            memcmp(slot, nothing, sizeof slot) != 0)
            return false;
    }
    return true;
}

/* Open a ring that is closed by a master key that lies elsewhere from now on. */
static inline void open_by_elsewhere(struct ring *r, struct dbk_keys_options *options)
{
    *options = (struct dbk_keys_options){.master = in_ring(r, "../elsewhere")};
    assert_int_equal(rename(in_ring(r, "master"), options->master), 0);
    if (dbk_keys_open(r->dir, options, &r->keys, &r->err) != DBK_OK)
        fail_msg("%s", r->err.text);
}

#endif
