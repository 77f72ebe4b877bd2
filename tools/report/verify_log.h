/* verify_log.h - the part of daybook verify that is about the log alone. */
#ifndef DBK_TOOLS_VERIFY_LOG_H
#define DBK_TOOLS_VERIFY_LOG_H

#include "command.h"
#include "progress.h"
#include "store/verify.h"

struct verify_log {
    struct progress *progress;
    FILE *lines; /* findings are told here as they come; NULL: not at all */
    struct dbk_verify_result result;
    FILE *json; /* private: the array of those told so far */
    char *json_text;
    size_t json_size;
    bool json_any;
    /* The folder that the scratch lies in; "": the data directory. */
    char elsewhere[64];
    char not_repaired[512]; /* why the indexes were not made anew; "" */
    /* Of a sealed log whose ring cannot be used: why, and what that means; "" */
    char shut[sizeof((struct dbk_error *)0)->text + 128];
    bool ring_broken; /* there is one */
};

/* Check the log of DATA_DIR, with the indexes made anew in DATA_DIR/verify.tmp, or where
 * that cannot be written in a folder in TMPDIR (/tmp); before there are threads. With
 * repair the log's indexes are first made anew in place; where the records do not tell
 * what they should hold, that is said in not_repaired. A sealed log is checked with its ring;
 * where that cannot be used, as far as it is in the clear, and shut says so. DBK_OK: it was checked. Errors as
 * dbk_log_verify, dbk_log_repair_indexes. Free it either way. */
enum dbk_code verify_log_run(struct verify_log *verify, const struct tool *tool,
                             bool repair, struct progress *progress, FILE *lines,
                             struct dbk_error *err);
void verify_log_finish(struct verify_log *verify);

void verify_log_print(const struct verify_log *verify, FILE *out);
/* Members of a JSON object, without its braces. */
void verify_log_print_json(struct verify_log *verify, FILE *out);

#endif
