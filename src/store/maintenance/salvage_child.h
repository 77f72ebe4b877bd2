/* salvage_child.h - the process that reads a damaged log. Private to the store. */
#ifndef DBK_STORE_SALVAGE_CHILD_H
#define DBK_STORE_SALVAGE_CHILD_H

#include "store/salvage.h"

#include <sys/types.h>

/* What it sends. The record's bytes follow an ITEM that has some. One write each, so that
 * all it has read has arrived when it dies. */
struct salvage_frame {
    enum { SALVAGE_HEAD, SALVAGE_FAILED, SALVAGE_ITEM, SALVAGE_END } kind;
    enum dbk_code code;       /* FAILED */
    uint64_t sequence;        /* ITEM; HEAD: the last one */
    struct dbk_uuid store_id; /* HEAD */
    enum dbk_salvaged_state state;
    uint32_t length, checksum;
    char why[128]; /* ITEM, FAILED */
};

/* Read from `from` to `to` (0: the head) of the log in dir, and send that down the pipe;
 * then end. Called in a child process of `parent`. */
_Noreturn void salvage_child_run(const char *dir, uint64_t from, uint64_t to, int pipe,
                                 pid_t parent);

#endif
