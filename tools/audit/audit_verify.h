/* audit_verify.h - is a log what was signed? All of it is hashed again. */
#ifndef DBK_TOOLS_AUDIT_VERIFY_H
#define DBK_TOOLS_AUDIT_VERIFY_H

#include "audit_file.h"

/* One checkpoint, and what came of it. */
struct audit_verified {
    struct audit_checkpoint checkpoint;
    bool reached; /* the log has so many records */
    bool holds;
};

/* Hash what is at the path, and hold it against the checkpoints, which are put in the order of
 * their sizes; against the tree's file at tree_path ("": none), and against the older copy at
 * older ("": none). What was found is printed. TOOL_DONE: all hold. TOOL_DIFFERENT: not;
 * TOOL_FAILED. */
enum tool_exit audit_verify_run(const struct tool *tool, const char *path,
                                struct audit_verified *verified, size_t count,
                                const char *tree_path, const char *older);

#endif
