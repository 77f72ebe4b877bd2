#include "export_run.h"

#include "escape.h"
#include "export_pipeline.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#define PIECE_BYTES ((size_t)256 * 1024)
#define WAIT_MS 200

/* A run under way. */
struct state {
    struct export_run *run;
    struct export_pipeline *pipeline;
    struct dbk_watch watch; /* asks give_up */
    uint64_t after;         /* the last sequence read, */
    uint32_t checksum;      /* and of that record, where following waits */
    bool finishing;         /* asked to stop following: nothing more is read */
};

/* Whether to give up at once. Asked to stop for the first time, following only ends. */
static bool give_up(void *context)
{
    struct state *state = context;
    struct export_run *run = state->run;

    if (!dbk_watch_stops(&run->watch))
        return false;
    if (!run->follow || state->finishing)
        return true;
    state->finishing = true;
    run->stopping(run->context);
    return false;
}

/* Its key is damaged. What is sealed goes as it is; opened, it is missing, which the writer
 * notes. */
static void tell_damaged(const struct export_run *run, const struct dbk_error *why)
{
    if (!run->unsealed)
        return;
    fputs("daybook export: ", stderr);
    escape_plain(stderr, dbk_slice(why->text));
    fputc('\n', stderr);
}

/* Decode what is in the piece's batch, and keep what is selected. */
static enum dbk_code decode(const struct export_run *run, struct export_piece *piece,
                            struct dbk_error *err)
{
    const struct export_select *select = &run->select;

    assert(piece->count == 0 && piece->batch.count <= EXPORT_PIECE_RECORDS);
    for (size_t i = 0; i < piece->batch.count; i++) {
        const struct dbk_batch_entry *entry = &piece->batch.entries[i];
        struct export_item *item = &piece->items[piece->count];
        enum dbk_code code = dbk_batch_record(&piece->batch, i, &item->record, err);
        bool shut = dbk_record_lacks_key(code, &item->record);

        if (shut && export_selects(select, &item->record))
            tell_damaged(run, err);
        if (shut)
            code = DBK_OK;
        if (code == DBK_DAMAGED)
            return dbk_fail(err, code, "%s; daybook verify tells more", err->text);
        if (code != DBK_OK)
            return code;
        item->bytes.data = piece->batch.bytes + entry->offset;
        item->bytes.length = entry->length;
        item->checksum = entry->checksum;
        piece->count += export_selects(select, &item->record);
    }
    return DBK_OK;
}

/* Read the next records into the piece; none where the log or the selection ends. */
static enum dbk_code read_piece(struct state *state, struct export_piece *piece,
                                struct dbk_error *err)
{
    const struct export_select *select = &state->run->select;
    uint64_t left = select->to > state->after ? select->to - state->after : 0;
    size_t count = left < EXPORT_PIECE_RECORDS ? (size_t)left : EXPORT_PIECE_RECORDS;
    enum dbk_code code = dbk_log_read(state->run->log, state->after, count, PIECE_BYTES,
                                      &piece->batch, err);

    if (code == DBK_OK)
        code = decode(state->run, piece, err);
    if (code == DBK_OK && piece->batch.count > 0)
        state->after = piece->batch.entries[piece->batch.count - 1].sequence;
    return code;
}

static void show(const struct state *state)
{
    const struct export_select *select = &state->run->select;
    uint64_t done = state->after - (select->from - 1);
    uint64_t total = select->to == UINT64_MAX ? 0 : select->to - (select->from - 1);

    if (state->run->watch.progress)
        state->run->watch.progress(state->run->watch.context, "exporting", "records",
                                   done, total);
}

/* Nothing more is there to read now: wait until there is. False where there will not be,
 * or following ends. */
static enum dbk_code wait_for_more(struct state *state, bool *more,
                                   struct dbk_error *err)
{
    struct export_run *run = state->run;
    uint64_t head = 0;
    bool
        known; /* the record to go on from; with --from past the head there is none yet */

    known = dbk_log_checksum(run->log, state->after, &state->checksum, NULL) == DBK_OK;
    while (run->follow && state->after < run->select.to) {
        enum dbk_code code = dbk_log_wait(run->log, state->after, WAIT_MS, &head, err);
        if (code == DBK_OK)
            code = dbk_log_check_history(run->log, known ? state->after : 0,
                                         state->checksum, err);
        if (code != DBK_OK || head > state->after)
            return code;
        if (give_up(state) || state->finishing)
            break;
    }
    *more = false;
    return DBK_OK;
}

/* One piece. *more turns false behind the last. */
static enum dbk_code step(struct state *state, bool *more, struct dbk_error *err)
{
    struct export_piece *piece = export_pipeline_piece(state->pipeline, &state->watch);
    bool caught_up;

    if (!piece || give_up(state))
        return dbk_fail(err, DBK_INTERRUPTED, "interrupted");
    if (state->finishing) {
        *more = false;
        return DBK_OK;
    }
    if (read_piece(state, piece, err) != DBK_OK)
        return err->code;
    caught_up = piece->batch.count == 0;
    piece->flush = caught_up && state->run->follow;
    export_pipeline_send(state->pipeline);
    show(state);
    return caught_up ? wait_for_more(state, more, err) : DBK_OK;
}

enum dbk_code export_run(struct export_run *run, struct dbk_error *err)
{
    struct state state = {.run = run, .after = run->select.from - 1};
    enum dbk_code code = export_pipeline_start(run->writer, &state.pipeline, err);
    struct dbk_error written;
    bool more = true;

    if (code != DBK_OK)
        return code;
    state.watch = (struct dbk_watch){.stop = give_up, .context = &state};
    while (code == DBK_OK && more)
        code = step(&state, &more, err);
    if (code == DBK_OK) {
        code = export_pipeline_end(state.pipeline, &state.watch, err);
    } else if (export_pipeline_abandon(state.pipeline, &written) != DBK_OK) {
        *err = written; /* why no piece was to be had */
        code = err->code;
    }
    return code;
}
