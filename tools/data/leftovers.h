/* leftovers.h - what runs that were killed, and clusters that were set aside, have left in a
 * data directory: nothing of it is needed. */
#ifndef DBK_TOOLS_LEFTOVERS_H
#define DBK_TOOLS_LEFTOVERS_H

#include "config.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEFTOVERS_MAX 64 /* found at once; what is more is found when these are gone */

struct leftovers {
    size_t count;
    struct leftover {
        char path[PATH_MAX];
        uint64_t bytes; /* on disk */
        bool in_use;    /* somebody makes it now: it is no leftover yet */
    } list[LEFTOVERS_MAX];
};

/* Look for them in DATA_DIR, and where its private cluster lies if that is elsewhere. What
 * cannot be looked at is left out. Large: not for the stack. */
void leftovers_find(const struct config *config, struct leftovers *leftovers);

/* Remove one, with what is below it; links are removed, not followed. What somebody came
 * to use since it was found is left: DBK_CONFLICT. DBK_IO. */
enum dbk_code leftovers_remove(const struct config *config, const struct leftover *one,
                               struct dbk_error *err);

#endif
