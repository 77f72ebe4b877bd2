/* ring_private.h - an open ring, as the files of this room share it. */
#ifndef DBK_STORE_RING_PRIVATE_H
#define DBK_STORE_RING_PRIVATE_H

#include "ring_cache.h"
#include "ring_format.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

enum {
    RING_LOOK_MS = 50, /* so often it is looked whether another process changed it */
    RING_STEP = 4096,  /* slots that are written at once */
};

/* In memory of sodium_malloc. */
struct ring_secrets {
    uint8_t master[DBK_KEY_BYTES], pepper[DBK_KEY_BYTES];
};

/* The file as it was opened. */
struct ring_file {
    int fd;
    dev_t device;
    ino_t inode;
    uint8_t page[RING_PAGE]; /* as it was read last */
    struct ring_fixed fixed;
    struct ring_mark mark; /* the one that counts, and its place */
    unsigned place;
};

struct dbk_keys {
    char dir[DBK_KEYS_PATH], path[DBK_KEYS_PATH + 8], master[DBK_KEYS_PATH + 8];
    bool beside, read_only;

    /* Whoever changes the ring, or opens it again; held while the disk is waited for. With it
     * the file `lock`, against other processes. */
    pthread_mutex_t changing;
    int lock_fd; /* -1: read only */
    /* A sync failed: what was written before it may not be on disk, though it reads so, and a
     * sync that goes well says nothing of it. */
    bool unsynced;
    /* Slots up to here are known to be whole and on disk, from the highest on that was used
     * then. */
    _Atomic uint64_t made;
    /* The log is known to name keys up to here: a ring that ends before is not whole. */
    _Atomic uint64_t needed;
    /* So many numbers it had when it was looked at last. */
    _Atomic uint64_t seen;

    /* Guards what follows; whoever writes has `changing`, too. Held while a slot is read. */
    pthread_rwlock_t opened;
    struct ring_file file;
    struct ring_secrets *secrets; /* pepper never changes */
    struct dbk_error broken;      /* DBK_OK: none; else why no key is given */

    _Atomic int64_t looked_ms;
    struct ring_cache *cache;
};

/* The file's own parts. */

/* Read and write all of it, at an offset. DBK_DAMAGED: it ends before. */
enum dbk_code ring_read_at(int fd, void *out, size_t length, uint64_t offset,
                           const char *path, struct dbk_error *err);
enum dbk_code ring_write_at(int fd, const void *bytes, size_t length, uint64_t offset,
                            const char *path, struct dbk_error *err);
enum dbk_code ring_sync(int fd, const char *path, struct dbk_error *err);
/* Overwrite all its keys, synced: it is of no use any more. */
enum dbk_code ring_blank(int fd, const char *path, struct dbk_error *err);
/* How many numbers it has. */
enum dbk_code ring_size(int fd, const char *path, uint64_t *count,
                        struct dbk_error *err);

/* Make count wrapped slots from `first` on. */
void ring_make_slots(const struct ring_secrets *secrets, uint64_t epoch, uint64_t first,
                     size_t count, uint8_t *slots);

/* Open the file at keys->path, with the master key of keys->master or of its ".new",
 * whichever it is wrapped by. Close file->fd; -1 on failure. */
enum dbk_code ring_load(const struct dbk_keys *keys, struct ring_file *file,
                        struct ring_secrets *secrets, struct dbk_error *err);

/* The same of keys that there are, one behind the other; zeros: erased. */
void ring_wrap_slots(const struct ring_secrets *secrets, uint64_t epoch, uint64_t first,
                     size_t count, const uint8_t *plain, uint8_t *slots);

/* A new ring's file, under the paths of keys, where there is none: of a parcel
 * (store/keys_share.h) that has its keys, or, where that has no bytes, of new ones. */
enum dbk_code ring_make(struct dbk_keys *keys, struct dbk_slice parcel,
                        struct dbk_error *err);
/* The path of the ring or of the master key while there is a next one of it. */
#define RING_NEXT_PATH (DBK_KEYS_PATH + 16)
void ring_next_path(const char *path, char out[RING_NEXT_PATH]);
/* The page of a file that is being made. */
enum dbk_code ring_put_page(int fd, const struct ring_fixed *fixed,
                            const struct ring_mark *mark, const char *path,
                            struct dbk_error *err);

/* Finish a rotation that was killed past the point of no return, and clear away what one left
 * that was not. */
enum dbk_code ring_settle(struct dbk_keys *keys, struct dbk_error *err);
/* Whether there is any such thing, or it is a rotation's that is under way. */
enum ring_left { RING_NOTHING, RING_LEFT, RING_UNDER_WAY };
enum ring_left ring_look_left(const struct dbk_keys *keys);
/* The same within a change. DBK_BUSY: a rotation is under way. */
enum dbk_code ring_settle_changing(struct dbk_keys *keys, struct dbk_error *err);

/* Within a change: clear away what a rotation has made, also of one that is under way. */
enum dbk_code ring_take_away(struct dbk_keys *keys, struct dbk_error *err);

/* Whether the file can be read, and holds the master key that the ring is wrapped by. */
bool ring_holds_master(const struct dbk_keys *keys, const char *path);

/* Begin a change: nobody else makes one, and the file is the one at its path. As
 * dbk_keys_get's DBK_KEYS_AWAY; DBK_UNSUPPORTED: read only. */
enum dbk_code ring_change_begin(struct dbk_keys *keys, struct dbk_error *err);
void ring_change_end(struct dbk_keys *keys);

/* Within one: put this mark into the file, with the next generation. */
enum dbk_code ring_put_mark(struct dbk_keys *keys, struct ring_mark mark,
                            struct dbk_error *err);

/* Open it again where it was replaced; forget what is in memory where it was changed. With
 * `changing` held. DBK_KEYS_AWAY: what it fails with is in `broken`, too. */
enum dbk_code ring_refresh(struct dbk_keys *keys, struct dbk_error *err);

/* Within a change: visit all slots, RING_STEP at a time at most, from the number `first` on. A
 * code but DBK_OK of visit ends it. */
struct ring_walk {
    void *context;
    enum dbk_code (*visit)(void *context, uint64_t first, size_t count, uint8_t *slots,
                           struct dbk_error *err);
};
enum dbk_code ring_walk(struct dbk_keys *keys, const struct ring_walk *walk,
                        struct dbk_error *err);
/* The same of so many slots of a file, which may be changed meanwhile. */
enum dbk_code ring_walk_file(int fd, uint64_t count, const char *path,
                             const struct ring_walk *walk, struct dbk_error *err);

/* Read a slot of a walk, and unwrap its key. */
enum ring_slot ring_open_slot(const struct dbk_keys *keys, uint64_t number,
                              const uint8_t *slot, uint8_t key[DBK_KEY_BYTES]);

#endif
