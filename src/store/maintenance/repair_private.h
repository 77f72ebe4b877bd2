/* repair_private.h - what is to be repaired, and the two ways to do it. Private to the
 * store. */
#ifndef DBK_STORE_REPAIR_PRIVATE_H
#define DBK_STORE_REPAIR_PRIVATE_H

#include "store/repair.h"
#include "store/verify.h"

#include <stddef.h>

/* A record that is put back. */
struct repair_patch {
    uint64_t sequence;
    char *bytes; /* owned */
    size_t length;
};

struct repair_plan {
    const char *dir, *copy;
    const struct dbk_repair_options *options;
    struct repair_patch *patches; /* owned; where nothing is lost but records */
    size_t count;
    bool structural; /* some cannot be found at all: patching is no way */
    bool without_keys;
};

/* Put the patches back, in one transaction, which is kept only if the log has all it had
 * that was right, and them. DBK_DAMAGED: the structure does not let it, or not all was
 * well then; nothing was changed. Else as dbk_log_repair_records. */
enum dbk_code repair_in_place(const struct repair_plan *plan, struct dbk_error *err);

/* Build a log from what the two have, in options->beside, with the id of the damaged one.
 * Errors as dbk_log_repair_records; nothing is left behind then. */
enum dbk_code repair_beside(struct repair_plan *plan, struct dbk_error *err);

#endif
