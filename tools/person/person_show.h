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

/* The file that --receipt names. */
struct person_file {
    const char *path; /* NULL: it names none, and nothing is done. Borrowed */
    int fd;           /* -1: not open */
};
/* Make it, before anybody is erased. DBK_EXISTS: it is there. DBK_IO, DBK_NO_ROOM. */
enum dbk_code person_file_open(const struct tool *tool, struct person_file *file,
                               struct dbk_error *err);
/* Nobody was erased: remove it. */
void person_file_drop(struct person_file *file);
/* Put the receipt there, as JSON, durable. TOOL_FAILED: it cannot be written; that is told, with
 * that the person is erased, and the file is gone. */
enum tool_exit person_file_put(const struct tool *tool, struct person_file *file,
                               const struct dbk_erasure *erasure,
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
