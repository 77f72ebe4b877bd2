/* keys_open.h - the ring for who changes it, brought up to its log's erasures before. */
#ifndef DBK_TOOLS_KEYS_OPEN_H
#define DBK_TOOLS_KEYS_OPEN_H

#include "command.h"
#include "store/keys.h"
#include "store/log.h"

struct keys_open {
    struct dbk_keys *keys;
    struct dbk_log *log; /* NULL: there is none yet */
};

/* Open the ring, and the log where there is one: so a ring that was put back has no key any more
 * that the log says is destroyed. Errors as tool_keys_open and dbk_log_open; DBK_CONFLICT: the log
 * is not sealed. Close it either way. */
enum dbk_code keys_open(const struct tool *tool, struct keys_open *open,
                        struct dbk_error *err);
void keys_close(struct keys_open *open);

#endif
