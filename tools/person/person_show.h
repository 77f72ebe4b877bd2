/* person_show.h - the receipt of who was erased, as it is gathered and printed. */
#ifndef DBK_TOOLS_PERSON_SHOW_H
#define DBK_TOOLS_PERSON_SHOW_H

#include "command.h"
#include "http/erasure_json.h"

/* As dbk_erasure_find, by the history index of the data directory where there is one. */
enum dbk_code person_erasure_find(const struct tool *tool, struct dbk_log *log,
                                  const struct dbk_uuid *id,
                                  struct dbk_erasure *erasure, struct dbk_error *err);

/* What the data directory knows besides. Where a server signs it is waited for, some seconds
 * at most. What cannot be had is told at warn, and left out. No
 * log must be open in this process. Finish it. */
struct person_known {
    struct dbk_erasure_known is;
    char *proof; /* owned */
};
void person_known_find(const struct tool *tool, const struct dbk_erasure *erasure,
                       struct person_known *known);
void person_known_finish(struct person_known *known);

/* Put it into the file that --receipt names, as JSON, whole or not at all; where it names none
 * nothing is done. */
enum tool_exit person_keep(const struct tool *tool, const struct dbk_erasure *erasure,
                           const struct dbk_erasure_known *known);

/* Print it, with --json as that, and a line feed. */
enum tool_exit person_show(const struct tool *tool, const struct dbk_erasure *erasure,
                           const struct dbk_erasure_known *known);

/* The same, and scrub PostgreSQL (scrub.h): what that did is printed behind it, in JSON as its
 * member "scrub", which is null where it failed. Then that is told, and TOOL_FAILED. */
enum tool_exit person_show_scrub(const struct tool *tool,
                                 const struct dbk_erasure *erasure,
                                 const struct dbk_erasure_known *known);

#endif
