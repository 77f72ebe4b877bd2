/* log_room.h - how much the log's file may still grow. Private to the store.
 *
 * Who asks does not wait for the file system, but for the one whose turn it is to look: a
 * file system that hangs, as one of another machine may, keeps one thread, and everybody
 * else is told that it hangs. */
#ifndef DBK_STORE_LOG_ROOM_H
#define DBK_STORE_LOG_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define LOG_ROOM_MIN ((uint64_t)4 << 20) /* with less the disk is full */

struct log_room {
    _Atomic int64_t looks_since; /* clock.h: of who looks; 0: nobody does */
    _Atomic int64_t looked_at;   /* 0: never yet */
    _Atomic uint64_t disk,
        file; /* as it was found: bytes free on the disk, for this user;
                                    bytes that the file may grow by (ulimit -f) */
};

struct log_room_found {
    bool known;         /* else nobody could look yet */
    uint64_t disk;      /* bytes free on its file system, for this user */
    uint64_t file;      /* bytes that the file may grow by; UINT64_MAX: no bound */
    int64_t hanging_ms; /* for so long the file system has not answered who looks */
};

/* As of a second ago at most, unless it hangs. dir is the log's. Any thread. */
void log_room_find(struct log_room *room, const char *dir, struct log_room_found *out);

/* Look now. False: there is less than LOG_ROOM_MIN; or less than that and so much more. */
bool log_room_is_there(struct log_room *room, const char *dir);
bool log_room_is_for(struct log_room *room, const char *dir, uint64_t bytes);

#endif
