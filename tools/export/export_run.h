/* export_run.h - reads the records of an export, and sends them on to be written. */
#ifndef DBK_TOOLS_EXPORT_RUN_H
#define DBK_TOOLS_EXPORT_RUN_H

#include "export_select.h"
#include "export_writer.h"
#include "store/watch.h"

struct export_run {
    struct dbk_log *log;
    struct export_select select; /* resolved */
    bool unsealed;               /* of a sealed log, whose records are to be opened */
    bool follow; /* wait for what is appended, until the watch says stop */
    struct export_writer *writer;
    struct dbk_watch watch;
    /* Told when the watch has said stop for the first time and following ends: what was
     * read is written, and the trailer, unless it says so again. NULL where follow is
     * false. */
    void (*stopping)(void *context);
    void *context;
};

/* Write the whole export, trailer included. No read transaction is open while it waits
 * for a writer or for new records.
 *
 * DBK_INTERRUPTED  the watch said stop; there is no trailer
 * DBK_DAMAGED      a record is damaged; err says which
 * DBK_UNAVAILABLE  nobody reads what is written
 * DBK_INVALID, DBK_NO_ROOM, DBK_IO, DBK_NO_MEMORY
 */
enum dbk_code export_run(struct export_run *run, struct dbk_error *err);

#endif
