/* fuzz_ring.c - whatever the ring of keys is: it is opened or refused with a reason, each slot
 * is a key, erased or damaged, and a key that is given is the one that was wrapped as this
 * number, by this master key. */
#include "fuzz.h"
#include "ring_format.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUMBERS 8 /* as many slots as the corpus has, and one behind */

static char dir[64];
static uint8_t master[DBK_KEY_BYTES];

static void write_file(const char *name, const void *bytes, size_t length)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    require(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
    close(fd);
}

static void remove_all(void)
{
    char path[128];

    snprintf(path, sizeof path, "%s/ring", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/master", dir);
    unlink(path);
    rmdir(dir);
}

static void begin(void)
{
    if (*dir)
        return;
    for (size_t i = 0; i < sizeof master; i++)
        master[i] = (uint8_t)(0xa0 + i);
    strcpy(dir, "/tmp/daybook-fuzz-XXXXXX");
    require(mkdtemp(dir) != NULL && atexit(remove_all) == 0);
    write_file("master", master, sizeof master);
}

/* The parts of it, of its very size. */
static void try_parts(const char *bytes, size_t size)
{
    const uint8_t *at = (const uint8_t *)bytes;
    uint8_t again[RING_FIXED];
    struct dbk_error err = {0};
    struct ring_fixed fixed;
    struct ring_mark mark;
    unsigned place = RING_MARKS;

    if (size >= RING_FIXED) {
        if (ring_fixed_read(at, &fixed, &err) != DBK_OK)
            require_reason(&err);
        else {
            ring_fixed_write(&fixed, again);
            require(!memcmp(again, at, 4));
        }
    }
    if (size >= RING_PAGE && ring_mark_read(at, &mark, &place))
        require(place < RING_MARKS);
}

/* What is given was wrapped as this number. */
static void require_wrapped(const char *bytes, uint64_t number, uint64_t epoch,
                            const uint8_t key[DBK_KEY_BYTES])
{
    const uint8_t *slot = (const uint8_t *)bytes + RING_SLOT_AT(number);
    uint8_t wrapped[RING_WRAPPED];

    ring_wrap(master, epoch, number, slot + RING_WRAPPED - RING_SALT, key, wrapped);
    require(!memcmp(wrapped, slot, sizeof wrapped));
}

static void try_keys(struct dbk_keys *keys, const char *bytes, size_t size)
{
    struct dbk_keys_state state;
    struct dbk_keys_check found;
    struct dbk_error err = {0};
    uint8_t key[DBK_KEY_BYTES];

    require(dbk_keys_state(keys, &state, NULL) == DBK_OK);
    require(dbk_keys_check(keys, &found, NULL) == DBK_OK);
    require(state.count == ring_count(size));
    require(found.live + found.erased + found.damaged == state.count);
    for (uint64_t number = 0; number <= NUMBERS; number++) {
        enum dbk_code code = dbk_keys_get(keys, number, key, &err);

        if (number == 0 || number > state.count)
            require(code == DBK_INVALID);
        else if (code == DBK_OK)
            require_wrapped(bytes, number, state.epoch, key);
        else
            require(code == DBK_NOT_FOUND || code == DBK_DAMAGED);
        if (code != DBK_OK)
            require_reason(&err);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct dbk_keys_options options = {.read_only = true};
    char *bytes = copy_bytes(data, size);
    struct dbk_error err = {0};
    struct dbk_keys *keys;

    begin();
    try_parts(bytes, size);
    write_file("ring", bytes, size);
    if (dbk_keys_open(dir, &options, &keys, &err) == DBK_OK)
        try_keys(keys, bytes, size);
    else
        require_reason(&err);
    dbk_keys_close(keys);
    free(bytes);
    return 0;
}
