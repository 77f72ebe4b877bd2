/* export_pipeline.h - a second thread for exports: while one reads and decodes the next
 * records, it renders, hashes, compresses and writes those before. */
#ifndef DBK_TOOLS_EXPORT_PIPELINE_H
#define DBK_TOOLS_EXPORT_PIPELINE_H

#include "export_writer.h"
#include "store/log.h"
#include "store/watch.h"

#include <stdbool.h>

#define EXPORT_PIECE_RECORDS 1024

/* Some records in a row. Whoever has it may change it. */
struct export_piece {
    struct dbk_batch batch; /* what items point into */
    size_t count;
    struct export_item items[EXPORT_PIECE_RECORDS];
    bool flush; /* let a follower have all up to here */
};

struct export_pipeline;

/* Start the thread. writer is lent to it until the end. SIGUSR1 is used to get it out of a
 * write that hangs. DBK_NO_MEMORY, DBK_IO. */
enum dbk_code export_pipeline_start(struct export_writer *writer,
                                    struct export_pipeline **pipeline,
                                    struct dbk_error *err);

/* Wait for a piece to fill: count 0, the batch as it was left. NULL when writing has
 * failed, or the watch (asked some ten times a second) says stop: call export_pipeline_abandon. */
struct export_piece *export_pipeline_piece(struct export_pipeline *pipeline,
                                           const struct dbk_watch *watch);

/* Hand over the piece that was given last. */
void export_pipeline_send(struct export_pipeline *pipeline);

/* Wait until all that was sent is written, and the trailer behind it. Ends the thread and
 * frees pipeline, also where it fails.
 *
 * DBK_INTERRUPTED  the watch said stop before all was written; there is no trailer
 * others           as export_writer_add and export_writer_end have them
 */
enum dbk_code export_pipeline_end(struct export_pipeline *pipeline,
                                  const struct dbk_watch *watch, struct dbk_error *err);

/* End the thread at once, even where a write hangs; free pipeline. Returns what writing
 * failed with, DBK_OK where it did not. */
enum dbk_code export_pipeline_abandon(struct export_pipeline *pipeline,
                                      struct dbk_error *err);

#endif
