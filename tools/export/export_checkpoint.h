/* export_checkpoint.h - the checkpoint that an export carries: the newest signed of its log
 * that the export covers, else the newest there is. It is DATA_DIR/audit's, and read as the
 * export begins and as it ends: what is signed meanwhile may be of more records than those
 * that were read. */
#ifndef DBK_TOOLS_EXPORT_CHECKPOINT_H
#define DBK_TOOLS_EXPORT_CHECKPOINT_H

#include "command.h"
#include "export_format.h"
#include "store/proof/checkpoint.h"

struct export_checkpoint {
    const struct tool *tool;
    /* Private; length 0: there is none. */
    struct dbk_signed_checkpoint before, after;
    struct dbk_error why; /* why the newest cannot be read; text "": it can */
};

/* Read the newest. Before the log's end is looked up: so it is of no more records. */
void export_checkpoint_begin(const struct tool *tool,
                             struct export_checkpoint *checkpoint);

/* Let a trailer carry it: export_source.sign, whose context the checkpoint is. */
void export_checkpoint_sign(void *context, struct export_trailer *trailer);

/* Say on stderr why the trailer carries none, where that is a failure. */
void export_checkpoint_tell(const struct export_checkpoint *checkpoint);

#endif
