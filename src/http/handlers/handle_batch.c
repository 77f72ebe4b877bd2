/* POST /events/batch: many events, persons and aliases, a verdict for each.
 *
 * Of an item a command, an id and its place in the body are kept. Where that does not
 * tell what became of it (it was invalid, or the log has its id) it is read again. */
#include "authorize.h"
#include "batch_item.h"
#include "body_fields.h"
#include "handlers.h"
#include "receipt.h"
#include "request.h"
#include "response.h"
#include "store/clock.h"
#include "submit.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct batch {
    struct batch_item *items;
    struct dbk_command **commands; /* of the items that can be submitted */
    size_t item_count, command_count;
    struct batch_frame frame;
};

static void finish(struct batch *batch)
{
    for (size_t i = 0; i < batch->command_count; i++)
        dbk_command_destroy(batch->commands[i]);
    dbk_command_block_destroy(batch->frame.block);
    free(batch->commands);
    free(batch->items);
}

static enum dbk_code draft_all(struct body_items *items, struct batch *batch,
                               struct dbk_error *err)
{
    struct dbk_slice text;

    batch->items = calloc(items->count, sizeof *batch->items);
    batch->commands = calloc(items->count, sizeof(struct dbk_command *));
    batch->frame.block = dbk_command_block_create(items->count);
    if (!batch->items || !batch->commands || !batch->frame.block)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for %zu items", items->count);
    while (batch->item_count < items->count && body_items_next(items, &text)) {
        struct batch_item *item = &batch->items[batch->item_count++];
        enum dbk_code code;
        item->text = text;
        item->kind = body_item_kind(&item->text);
        code = batch_item_draft(&batch->frame, batch->item_count - 1, item, err);
        if (code != DBK_OK)
            return code;
        if (item->command)
            batch->commands[batch->command_count++] = item->command;
        assert(batch->command_count <= batch->item_count);
    }
    return DBK_OK;
}

/* 200 where nothing was refused, 207 where some of it was, and of nothing but refusals no
 * success: 422, or 503 where it was none of the client's doing. */
static int status_for(const struct batch_counts *counts)
{
    if (counts->refused == 0)
        return 200;
    if (counts->recorded + counts->known + counts->accepted > 0)
        return 207;
    return counts->refused == counts->failed ? 503 : 422;
}

/* What was refused is counted for machines, too; but not to who only ingests, what the
 * log has refused. */
static enum dbk_code end(const struct request *rq, struct response *rs,
                         const struct batch_counts *counts, struct dbk_error *err)
{
    char details[160], members[160] = "";

    if (request_only_ingests(rq)) {
        snprintf(details, sizeof details, "%zu accepted, %zu refused", counts->accepted,
                 counts->refused);
        snprintf(members, sizeof members, ",\"accepted\":%zu,\"refused\":%zu",
                 counts->accepted, counts->refused);
    } else {
        snprintf(details, sizeof details,
                 "%zu recorded, %zu known already, %zu refused", counts->recorded,
                 counts->known, counts->refused);
        snprintf(members, sizeof members,
                 ",\"known\":%zu,\"recorded\":%zu,\"refused\":%zu", counts->known,
                 counts->recorded, counts->refused);
    }
    if (counts->refused == 0)
        members[0] = '\0';
    return response_end_with(rs, status_for(counts), details, members, err);
}

static enum dbk_code answer(struct request *rq, struct response *rs,
                            const struct batch *batch, struct dbk_error *err)
{
    struct batch_counts counts = {0};

    receipt_of_batch(rq, rs, batch->commands, batch->command_count);
    response_begin(rs);
    for (size_t i = 0; i < batch->item_count; i++) {
        dbk_render_text(&rs->body, i ? "," : "[");
        batch_item_render(&batch->frame, i, &batch->items[i], &rs->body, &counts);
    }
    dbk_render_text(&rs->body, "]");
    rs->sequence = counts.last_sequence;
    if (counts.last_sequence > 0 && !request_only_ingests(rq))
        response_header_number(rs, "Daybook-Sequence", counts.last_sequence);
    return end(rq, rs, &counts, err);
}

/* Each event is written out with the context: together they are bounded as if the client
 * had written them so. */
static enum dbk_code check_context(const struct request *rq,
                                   const struct body_items *items,
                                   struct dbk_error *err)
{
    size_t limit = rq->service->options.batch_body_max;
    size_t left = limit > rq->body.length ? limit - rq->body.length : 0;

    if (items->context.length <= left / items->count)
        return DBK_OK;
    return dbk_fail(
        err, DBK_TOO_LARGE,
        "With its context of %zu bytes in each of its %zu items the batch is "
        "larger than the %zu bytes taken here",
        items->context.length, items->count, limit);
}

/* The client's clock is wrong by the time between its sending and our beginning to read, as
 * far as that is not the way. */
static void correct_clock(const struct request *rq, const struct body_items *items,
                          struct batch_frame *frame)
{
    dbk_timestamp received = dbk_timestamp_now() - (dbk_clock_us() - rq->began);

    if (!items->has_sent_at || received == items->sent_at)
        return;
    frame->rules.clock_offset = received - items->sent_at;
    snprintf(frame->clock_offset, sizeof frame->clock_offset, "%" PRId64,
             frame->rules.clock_offset);
    frame->rules.clock_offset_text = dbk_slice(frame->clock_offset);
}

/* What all items have in common. */
static enum dbk_code begin_frame(struct request *rq, const struct body_items *items,
                                 struct batch_frame *frame, struct dbk_error *err)
{
    if (check_context(rq, items, err) != DBK_OK ||
        authorize_events(rq, items->count > 1 ? items->count - 1 : 0, err) != DBK_OK)
        return err->code;
    frame->rq = rq;
    frame->rules = rq->service->rules;
    frame->rules.context = items->context;
    correct_clock(rq, items, frame);
    return submit_ids_begin(rq, &frame->ids, err);
}

enum dbk_code handle_post_batch(struct request *rq, struct response *rs,
                                struct dbk_error *err)
{
    struct body_items items;
    struct batch batch = {0};
    enum dbk_code code;

    if (body_items_open(rq->body.data, rq->body.length, rq->lines,
                        rq->service->options.batch_items_max, &items, &rq->fields,
                        err) != DBK_OK)
        return err->code;
    code = begin_frame(rq, &items, &batch.frame, err);
    if (code == DBK_OK)
        code = draft_all(&items, &batch, err);
    if (code == DBK_OK)
        code = submit_keyed(rq, rs, batch.commands, batch.command_count,
                            &batch.frame.replayed, err);
    if (code == DBK_OK)
        code = answer(rq, rs, &batch, err);
    finish(&batch);
    body_items_finish(&items);
    return code;
}
