/* One witness: asked, and its answer taken. */
#include "cosign_private.h"
#include "store/proof/notary.h"
#include "store/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATIENCE_MS = 10000,
    TRIES_MAX = 3, /* sizes that a witness may tell, until it contradicts itself */
    BACK_OFF_MS = 1000,
    BACK_OFF_MAX_MS = 300000,
    OPERATOR_MS = 30000, /* what somebody has to do something about first */
    DOUBLINGS_MAX = 9,
};

static bool is_same(const struct dbk_log_checkpoint *a,
                    const struct dbk_log_checkpoint *b)
{
    return a->size == b->size && dbk_hash_equal(&a->root, &b->root) &&
           !strcmp(a->origin, b->origin);
}

bool cosign_ask_has_signed(const struct cosign *cosign, const struct cosign_ask *ask)
{
    return ask->has_line && is_same(&ask->sent.checkpoint, &cosign->target.checkpoint);
}

bool cosign_ask_wants(const struct cosign *cosign, const struct cosign_ask *ask)
{
    return !ask->busy && !cosign_ask_has_signed(cosign, ask);
}

static void set_state(struct cosign *cosign, struct cosign_ask *ask,
                      enum dbk_witness_verdict verdict, const char *why)
{
    struct dbk_witness_state *state = ask->state;
    const enum dbk_witness_verdict before = ask->reported;
    char line[sizeof state->name + sizeof state->why + 64];

    cosign->changed = true;
    snprintf(state->why, sizeof state->why, "%s", why);
    if (verdict != state->verdict)
        state->since = dbk_timestamp_now() / 1000000;
    state->verdict = verdict;
    ask->reported = verdict;
    if (verdict == before)
        return;
    if (verdict == DBK_WITNESS_COSIGNED && before == DBK_WITNESS_NOT_ASKED)
        return;
    if (verdict == DBK_WITNESS_COSIGNED)
        snprintf(line, sizeof line, "witness %s signs again", state->name);
    else
        snprintf(line, sizeof line, "%switness %s: %s",
                 dbk_witness_is_alarm(verdict) ? "ALARM: " : "", state->name, why);
    cosign->options.report(cosign->options.report_context,
                           dbk_witness_is_alarm(verdict), line);
}

/* Later each time, up to a bound; sooner where nobody has to do anything about it. */
static void put_off(struct cosign_ask *ask, enum dbk_witness_verdict verdict)
{
    const unsigned doublings =
        ask->failures < DOUBLINGS_MAX ? ask->failures : DOUBLINGS_MAX;
    int ms = (verdict == DBK_WITNESS_LATER ? BACK_OFF_MS : OPERATOR_MS) << doublings;

    ask->failures++;
    ask->tries = 0;
    ask->next = dbk_deadline_in(ms < BACK_OFF_MAX_MS ? ms : BACK_OFF_MAX_MS);
}

static enum dbk_code prove(struct cosign *cosign, struct cosign_ask *ask,
                           struct dbk_proof *proof, struct dbk_error *err)
{
    const uint64_t size = ask->sent.checkpoint.size;

    if (ask->old > size) /* what it knew when this was another log */
        ask->old = 0;
    return dbk_tree_consistency(cosign->tree, ask->old, size, proof, err);
}

enum dbk_code cosign_ask_send(struct cosign *cosign, struct cosign_ask *ask,
                              struct dbk_error *err)
{
    char *body = malloc(DBK_WITNESS_REQUEST + 1);
    struct dbk_proof proof;
    size_t length;
    enum dbk_code code;

    if (!body)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to ask %s", ask->witness->name);
    ask->sent = cosign->target;
    ask->has_line = false;
    code = prove(cosign, ask, &proof, err);
    if (code == DBK_OK) {
        ask->asked_with = ask->old;
        length = dbk_witness_request(ask->old, &proof, &ask->sent, body);
        code = dbk_client_post(cosign->client, ask->url,
                               (struct dbk_slice){body, length}, PATIENCE_MS, ask, err);
        ask->busy = code == DBK_OK;
    }
    free(body);
    return code;
}

/* It may be asked with what is newer than the target: by who did this before. */
static bool is_signed_here(const struct cosign *cosign, uint64_t size)
{
    struct dbk_signed_checkpoint *last = malloc(sizeof *last);
    struct dbk_vkey key;
    bool is = last &&
              cosign_read_last(cosign->options.dir, &key, last, NULL) == DBK_OK &&
              last->checkpoint.size >= size;

    free(last);
    return is;
}

static void take_verdict(struct cosign *cosign, struct cosign_ask *ask,
                         enum dbk_witness_verdict verdict, uint64_t size,
                         struct dbk_error *why)
{
    if (verdict == DBK_WITNESS_ROLLED_BACK && is_signed_here(cosign, size)) {
        verdict = DBK_WITNESS_LATER;
        dbk_fail(why, DBK_UNAVAILABLE, "it knows what was signed since");
        ask->old = size;
        cosign->target_until = dbk_deadline_in(0);
    }
    if (verdict == DBK_WITNESS_OTHER_SIZE && ++ask->tries < TRIES_MAX) {
        ask->old = size; /* asked again at once */
        return;
    }
    if (verdict == DBK_WITNESS_OTHER_SIZE) {
        verdict = DBK_WITNESS_LATER;
        dbk_fail(why, DBK_UNAVAILABLE,
                 "it contradicts itself: another size each time, %" PRIu64 " now",
                 size);
    }
    if (verdict == DBK_WITNESS_SPLIT) /* it was asked from where it is */
        size = ask->asked_with;
    if (dbk_witness_is_alarm(verdict) && size > ask->state->size)
        ask->state->size = size;
    put_off(ask, verdict);
    set_state(cosign, ask, verdict, why->text);
}

static void take_line(struct cosign *cosign, struct cosign_ask *ask)
{
    ask->has_line = true;
    ask->old = ask->sent.checkpoint.size;
    ask->state->size = ask->old;
    ask->tries = 0;
    ask->failures = 0;
    ask->next = 0;
    set_state(cosign, ask, DBK_WITNESS_COSIGNED, "");
}

void cosign_ask_take(struct cosign *cosign, struct cosign_ask *ask,
                     const struct dbk_client_answer *answer)
{
    enum dbk_witness_verdict verdict = DBK_WITNESS_LATER;
    struct dbk_error why = {.text = ""};
    uint64_t size = 0;

    ask->busy = false;
    if (answer->status == 0)
        dbk_fail(&why, DBK_UNAVAILABLE, "it does not answer: %.200s", answer->why);
    else
        verdict = dbk_witness_judge(answer->status, answer->type, answer->body,
                                    ask->asked_with, &ask->sent, &ask->witness->vkey,
                                    ask->line, &size, &why);
    if (verdict == DBK_WITNESS_COSIGNED)
        take_line(cosign, ask);
    else
        take_verdict(cosign, ask, verdict, size, &why);
}
