/* runs.h - the runs that make up the history index: one behind the other, from the first
 * record on, without a gap.
 *
 * DIR/AFTER-TO.run each, in decimal; run.tmp is being written. Few runs, each more than
 * twice as large as those behind it together: what comes behind is written as a small one,
 * and merged with those before it that are not. So each pair is written some log2(n) times,
 * in order, whatever ids come.
 *
 * Private to the store. Not thread-safe; the runs themselves are.
 */
#ifndef DBK_STORE_RUNS_H
#define DBK_STORE_RUNS_H

#include "run.h"
#include "store/log.h"

enum { RUNS_MAX = 64 }; /* each more than twice all behind it: never so many */

struct runs {
    size_t count;
    struct run *list[RUNS_MAX]; /* each held */
};

/* Where they end: the last record that is in them, 0 for none. */
uint64_t runs_end(const struct runs *runs);

/* Take hold of what from has. */
void runs_copy(struct runs *out, const struct runs *from);
void runs_drop(struct runs *runs);

/* Open what is in dir and of this log, also up to its checksums.
 *
 * DBK_NOT_FOUND  there is none
 * DBK_MOVED      it is of another log, or of another history of this one
 * DBK_DAMAGED    one of them is
 * and as dbk_log_checksum; *out is empty then
 */
enum dbk_code runs_open(const char *dir, struct dbk_log *log, struct runs *out,
                        struct dbk_error *err);

/* Write one behind them, of sorted pairs, and merge it with those before it as above. *runs
 * holds them then; on failure all is as it was, but that of a merge alone, which can wait,
 * is none. DBK_NO_ROOM where the disk would have too little left for the log, too. */
enum dbk_code runs_append(struct runs *runs, const char *dir,
                          const struct run_place *place, const struct run_pair *pairs,
                          size_t count, struct dbk_error *err);

/* Remove the files in dir that are none of these; with none, all of the index. Other files
 * stay. */
void runs_clean(const char *dir, const struct runs *runs);

#endif
