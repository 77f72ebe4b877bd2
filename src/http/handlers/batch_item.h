/* batch_item.h - one item of a batch: its command, and what became of it. */
#ifndef DBK_HTTP_BATCH_ITEM_H
#define DBK_HTTP_BATCH_ITEM_H

#include "body_fields.h"
#include "request.h"
#include "store/decide/command_block.h"
#include "store/render.h"
#include "submit.h"

/* What all items of a batch share. */
struct batch_frame {
    const struct request *rq;
    struct dbk_body_rules rules;
    char clock_offset[24]; /* the text of that of rules */
    struct submit_ids ids;
    struct dbk_command_block *block; /* of the commands of events */
    bool replayed; /* the ids are others than were drafted, and are read from the log */
};

struct batch_item {
    struct dbk_slice text; /* in the body: what is in an {"event": ...} or the like */
    enum body_item kind;
    struct dbk_command *command; /* NULL: the item is invalid. Owned by the batch */
    struct dbk_uuid id;          /* of the event or person; nil: not known yet */
    bool has_id;                 /* the client's own */
};

/* Draft the command of a text, all else of the item is filled in. An invalid item is no
 * failure. DBK_NO_MEMORY. */
enum dbk_code batch_item_draft(const struct batch_frame *frame, size_t index,
                               struct batch_item *item, struct dbk_error *err);

struct batch_counts {
    size_t recorded, known, refused;
    size_t failed;   /* of those refused: through no fault of the client */
    size_t accepted; /* of who only ingests: recorded, known, or what is not told */
    uint64_t last_sequence; /* the highest of those recorded */
    bool unread;            /* PostgreSQL did not tell who a person was first */
};

/* {"index", "status", "id", "sequence"}, the id of an event, or of the person that was made,
 * updated or given an anonymous id; or, where it was refused, "details" (and "errors")
 * instead of the sequence, and the id only where the client gave it: so that it is the same
 * when replayed.
 * To who only ingests {"index", "status": 202, "id"} of each that was well-formed; without
 * the id of a person that the client did not give. */
void batch_item_render(const struct batch_frame *frame, size_t index,
                       const struct batch_item *item, struct dbk_render *out,
                       struct batch_counts *counts);

#endif
