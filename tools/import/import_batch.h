/* import_batch.h - lines gathered into one large transaction, and the verdict on each. */
#ifndef DBK_TOOLS_IMPORT_BATCH_H
#define DBK_TOOLS_IMPORT_BATCH_H

#include "http/body.h"
#include "store/command.h"
#include "store/log.h"

#define IMPORT_BATCH_LINES 4096
#define IMPORT_BATCH_BYTES ((size_t)16 << 20)

/* What became of a line. */
enum import_fate { IMPORT_ADDED, IMPORT_UPDATED, IMPORT_THERE, IMPORT_BAD };

/* Called for each line of the batch, in order, after it is durable; reason is for
 * IMPORT_BAD, and borrowed for the call. */
typedef void import_tell(void *context, enum dbk_type type, uint64_t line,
                         enum import_fate fate, const char *reason);

/* Zero it before first use; import_batch_finish frees it. It may be used again and
 * again, and keeps its memory. */
struct import_batch {
    size_t count;
    size_t bytes; /* of the lines in it */
    bool bad;     /* it holds a line that cannot be read */
    struct import_entry {
        uint64_t line;
        enum dbk_type type;          /* 0: a bad line */
        struct dbk_command *command; /* kept for the entry's next line; or NULL */
        char reason[256];            /* why it is bad */
    } * entries;                     /* private, as what follows */
    struct dbk_command **commands;
    struct dbk_batch logged;
};
void import_batch_finish(struct import_batch *batch);

/* Whether it should be flushed before another line is added. */
bool import_batch_full(const struct import_batch *batch);

/* Add a person (with its automatic signup; or of who has its external id when it is
 * appended, where it has no id, an update to just what the line says) or an event that was
 * read from line number line, which took bytes. Takes over the body, also where it fails;
 * the batch is then as before. DBK_NO_MEMORY, DBK_TOO_LARGE. */
enum dbk_code import_batch_add(struct import_batch *batch, uint64_t line, size_t bytes,
                               struct dbk_body *body, struct dbk_error *err);

/* Add a line that cannot be read, so that it is told in its place. DBK_NO_MEMORY. */
enum dbk_code import_batch_add_bad(struct import_batch *batch, uint64_t line,
                                   const char *reason, struct dbk_error *err);

/* Append all of it in one transaction. Another thread may do it, while nobody else has
 * the batch. Errors as dbk_log_submit has them. */
enum dbk_code import_batch_submit(struct import_batch *batch, struct dbk_log *log,
                                  struct dbk_error *err);

/* Tell what became of each line of a batch that was submitted.
 *
 * A person whose id is there, or whose update changed nothing, is IMPORT_THERE. An event
 * whose id is there is IMPORT_THERE where it is the same, and IMPORT_BAD where it is not.
 * What the log refuses is IMPORT_BAD. Errors as dbk_log_read has them.
 */
enum dbk_code import_batch_tell(struct import_batch *batch, struct dbk_log *log,
                                import_tell *tell, void *context,
                                struct dbk_error *err);

/* Forget its lines. */
void import_batch_empty(struct import_batch *batch);

#endif
