/* audit_look.h - how far a log is signed, as can be told from beside a server. */
#ifndef DBK_TOOLS_AUDIT_LOOK_H
#define DBK_TOOLS_AUDIT_LOOK_H

#include "config.h"
#include "store/proof/note.h"
#include "store/proof/tree.h"
#include "store/proof/witness.h"
#include "store/timestamp.h"

struct audit_look {
    bool found; /* somebody signs it, or did */
    char origin[DBK_NOTE_NAME_MAX + 1];
    uint64_t size;    /* of the newest checkpoint: so many records */
    dbk_timestamp at; /* when it was signed */
    char error[512];  /* why it is not signed any more, or what a witness is alarmed by,
                         and what to do; "": neither */
    struct dbk_witnesses witnesses; /* none: nobody asks any */
};

/* Look at DATA_DIR/audit, and hold the newest checkpoint against the log, whose head is given:
 * by the tree's file, which takes little; where that does not fit, by the log itself, unless
 * it is very long. */
void audit_look(const struct config *config, struct dbk_log *log, uint64_t head,
                struct audit_look *out);

#endif
