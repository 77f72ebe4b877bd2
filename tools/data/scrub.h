/* scrub.h - for subcommands: takes what was erased out of PostgreSQL, too
 * (projections/scrub.h), and says what is left to somebody else. */
#ifndef DBK_TOOLS_SCRUB_H
#define DBK_TOOLS_SCRUB_H

#include "projections/scrub.h"
#include "session.h"

struct scrubbed {
    struct dbk_scrub_result tables;
    unsigned removed; /* private clusters that had been set aside */
    bool by_hand;     /* DB_HOST names a server: its administrator has to go on */
};

/* Make the tables anew, leave nothing beside them, clean the private cluster. Does it again
 * where that was started anew meanwhile. Errors as dbk_scrub, and DBK_IO where what was set
 * aside cannot be removed; session_fail tells them. */
enum dbk_code scrub(struct session *session, struct scrubbed *out,
                    struct dbk_error *err);

/* The same in a session of its own, behind something else that is done and stays so, as the
 * sentence done says: that is told with what has failed, and what to run. Signals are held from
 * here on. No log must be open in this process. */
enum tool_exit scrub_behind(const struct tool *tool, const char *done,
                            struct scrubbed *out);
/* Before that something is done: whether it is known where the tables are. Else TOOL_MISUSED, and
 * it is told. */
enum tool_exit scrub_check(const struct tool *tool);

/* Print what was done; where by_hand, also what the administrator runs. */
void scrub_print(const struct scrubbed *done);
/* The same as an object, for --json: no newline. */
void scrub_print_json(const struct scrubbed *done);

#endif
