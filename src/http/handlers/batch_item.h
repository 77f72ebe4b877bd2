/* batch_item.h - one event of a batch: its command, and what became of it. */
#ifndef DBK_HTTP_BATCH_ITEM_H
#define DBK_HTTP_BATCH_ITEM_H

#include "request.h"
#include "store/command.h"
#include "store/render.h"
#include "submit.h"

struct batch_item {
    struct dbk_slice text;       /* in the body */
    struct dbk_command *command; /* NULL: the item is invalid. Owned by the batch */
    struct dbk_uuid id;
    bool has_id; /* the client's own */
};

/* Read the item's text and draft its command. An invalid item is no failure. DBK_NO_MEMORY. */
enum dbk_code batch_item_draft(const struct request *rq, const struct submit_ids *ids,
                               size_t index, struct batch_item *item,
                               struct dbk_error *err);

struct batch_counts {
    size_t recorded, known, refused;
    size_t failed;   /* of those refused: through no fault of the client */
    size_t accepted; /* of who only ingests: recorded, known, or what is not told */
    uint64_t last_sequence; /* the highest of those recorded */
};

/* {"index", "status", "id", "sequence"}; or, where it was refused, "details" (and
 * "errors") instead of the sequence, and the id only where the client gave it: so that
 * it is the same when replayed. replayed: its id is another than was drafted, and is
 * read from the log.
 * To who only ingests {"index", "status": 202, "id"} of each that was well-formed. */
void batch_item_render(const struct request *rq, size_t index,
                       const struct batch_item *item, bool replayed,
                       struct dbk_render *out, struct batch_counts *counts);

#endif
