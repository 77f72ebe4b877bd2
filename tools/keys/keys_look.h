/* keys_look.h - how a sealed log's ring is, and what its operator should do about it. */
#ifndef DBK_TOOLS_KEYS_LOOK_H
#define DBK_TOOLS_KEYS_LOOK_H

#include "command.h"
#include "store/keys.h"
#include "store/log.h"

#include <stdio.h>

struct keys_look {
    bool sealed;     /* the log is; else there is nothing more to tell */
    char error[512]; /* why the ring cannot be used, and what to do; "": it can */
    struct dbk_keys_state state;            /* the rest: where it can be */
    uint64_t used;                          /* the highest number that the log names */
    char copied_at[DBK_TIMESTAMP_TEXT + 1]; /* "": there is no copy */
};

/* Look at the ring of the log, which is open. Takes little; the slots are not read. */
void keys_look(const struct tool *tool, struct dbk_log *log, struct keys_look *out);

/* Call say for each sentence that the operator should read, the gravest first. */
void keys_look_warn(const struct keys_look *look,
                    void (*say)(void *context, const char *sentence), void *context);

/* The sentences as a JSON array. */
void keys_look_print_warnings(const struct keys_look *look, FILE *out);

#endif
