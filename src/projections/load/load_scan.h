/* load_scan.h - walks over the log from its first record to a given one. */
#ifndef DBK_PROJECTIONS_LOAD_SCAN_H
#define DBK_PROJECTIONS_LOAD_SCAN_H

#include "store/log.h"
#include "store/watch.h"

/* Which records of which log are to become tables. All borrowed. */
struct load_source {
    struct dbk_log *log;
    uint64_t from; /* events recorded before it are left out; 0: none are */
    uint64_t to;   /* the last record that counts; at most the head */
    const struct dbk_watch *watch;
};

/* Called for each record; it is borrowed for the call. */
typedef enum dbk_code load_visit(void *context, const struct dbk_record *record,
                                 struct dbk_error *err);

/* Visit the records 1 to source->to, in order.
 *
 * DBK_DAMAGED, DBK_UNSUPPORTED  a record cannot be read; err names it
 * DBK_INTERRUPTED               the watch said stop
 * what visit returned, and as dbk_log_read
 */
enum dbk_code load_scan(const struct load_source *source, const char *phase,
                        load_visit *visit, void *context, struct dbk_error *err);

#endif
