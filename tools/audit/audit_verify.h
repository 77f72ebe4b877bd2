/* audit_verify.h - is a log what was signed? All of it is hashed again. */
#ifndef DBK_TOOLS_AUDIT_VERIFY_H
#define DBK_TOOLS_AUDIT_VERIFY_H

#include "audit_file.h"

/* One checkpoint, and what came of it. */
struct audit_verified {
    struct audit_checkpoint checkpoint;
    bool reached; /* the log has so many records */
    bool holds;
    /* By its log.resealed the log was made of the one that this was signed of: the record's
     * sequence, or 0. What the records of that one were, it alone shows. */
    uint64_t named;
    bool vouched;    /* and a checkpoint that holds covers that record */
    uint64_t proven; /* the largest that held and is of fewer records; 0: none */
};

/* Places that differ from what they are held against, next to each other as one. */
#define AUDIT_RANGES_MAX 20
struct audit_ranges {
    size_t count; /* of those in the list */
    size_t more;  /* that are in no list */
    struct audit_range {
        uint64_t first, last; /* sequences */
    } list[AUDIT_RANGES_MAX];
};

/* What was found. */
struct audit_found {
    bool right;       /* nothing is wrong */
    uint64_t records; /* that could be read */
    struct dbk_hash root;
    struct audit_ranges changed; /* by the older copy: records */
    struct audit_ranges hashed;  /* by the tree's file: 256 each */
    uint64_t resealed;           /* the sequence of the last log.resealed, or 0 */
    uint64_t resealed_of;        /* so many records that log had */
    struct dbk_error broken;     /* why it could not be read on; text "": it could */
};

/* Hash what is at the path, and hold it against the checkpoints, which are put in the order of
 * their sizes; against the tree's file at tree_path ("": none), and against the older copy at
 * older ("": none). As audit_source_open and audit_source_next; DBK_INTERRUPTED,
 * DBK_NO_MEMORY. */
enum dbk_code audit_verify_run(const struct tool *tool, const char *path,
                               struct audit_verified *verified, size_t count,
                               const char *tree_path, const char *older,
                               struct audit_found *found, struct dbk_error *err);

/* One that is not to be believed, and why. */
struct audit_refused {
    char path[4096];
    struct dbk_error why;
};

struct audit_report {
    const struct audit_found *found;
    const struct audit_verified *verified;
    size_t count;
    const struct audit_refused *refused;
    size_t refused_count;
};

/* Print it: audit_report.c. */
void audit_report_print(const struct audit_report *report);
void audit_report_print_json(const struct audit_report *report);

#endif
