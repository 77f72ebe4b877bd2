/* export_salvage.h - exports what can be read of a damaged log. */
#ifndef DBK_TOOLS_EXPORT_SALVAGE_H
#define DBK_TOOLS_EXPORT_SALVAGE_H

#include "export_run.h"
#include "store/salvage.h"

/* Open the log of DATA_DIR for it, as select asks, and resolve select. For a process with
 * one thread. DBK_INVALID: --from or --to is a time, or past the head. Else as
 * dbk_salvage_open. */
enum dbk_code export_salvage_open(const struct tool *tool, struct export_select *select,
                                  struct dbk_salvage **salvage, struct dbk_error *err);

/* What the trailer says of it; as of now. */
struct export_source export_salvage_source(const struct export_select *select,
                                           const struct dbk_salvage *salvage);

/* As export_run, with no second thread. What cannot be read is told on stderr, a line for
 * each stretch, and to run->writer. */
enum dbk_code export_salvage_run(struct export_run *run, struct dbk_salvage *salvage,
                                 struct dbk_error *err);

#endif
