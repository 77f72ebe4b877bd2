/* What is asked of the notary. */
#include "notary_private.h"

#include "store/thread.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void destroy(struct dbk_notary *notary)
{
    if (!notary)
        return;
    dbk_tree_destroy(notary->tree);
    pthread_cond_destroy(&notary->shown);
    pthread_cond_destroy(&notary->woken);
    pthread_mutex_destroy(&notary->mutex);
    free(notary);
}

static enum dbk_code create(const char *dir, struct dbk_log *log,
                            const struct dbk_notary_options *options,
                            struct dbk_notary **out, struct dbk_error *err)
{
    struct dbk_notary *notary = calloc(1, sizeof *notary);
    struct dbk_tree_source source = dbk_tree_of_log(log);
    enum dbk_code code;

    if (!notary)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for the notary");
    notary->log = log;
    if (options)
        notary->options = *options;
    if (notary->options.interval_ms <= 0)
        notary->options.interval_ms = NOTARY_INTERVAL_MS;
    if (notary->options.apart_ms <= 0)
        notary->options.apart_ms = NOTARY_APART_MS;
    if (notary->options.at_once == 0)
        notary->options.at_once = NOTARY_AT_ONCE;
    atomic_init(&notary->stopping, false);
    notary->state.needs_witnesses =
        notary->options.policy && !dbk_policy_met(notary->options.policy, 0);
    notary->state.code = DBK_UNAVAILABLE;
    strcpy(notary->state.why, "it has not gone through the log yet");
    pthread_mutex_init(&notary->mutex, NULL);
    dbk_cond_init(&notary->woken);
    dbk_cond_init(&notary->shown);
    code = dbk_tree_create(&source, &notary->tree, err);
    if (code == DBK_OK &&
        (snprintf(notary->dir, sizeof notary->dir, "%s", dir) >=
             (int)sizeof notary->dir ||
         snprintf(notary->origin, sizeof notary->origin, "%s",
                  options && options->origin ? options->origin : "") >=
             (int)sizeof notary->origin))
        code = dbk_fail(err, DBK_INVALID, "the log's name, or the path, is too long");
    if (code != DBK_OK)
        destroy(notary);
    else
        *out = notary;
    return code;
}

enum dbk_code dbk_notary_start(const char *dir, struct dbk_log *log,
                               const struct dbk_notary_options *options,
                               struct dbk_notary **notary, struct dbk_error *err)
{
    enum dbk_code code;

    *notary = NULL;
    code = create(dir, log, options, notary, err);
    if (code != DBK_OK)
        return code;
    code =
        dbk_thread_start(&(*notary)->thread, "dbk-notary", notary_work, *notary, err);
    if (code != DBK_OK) {
        destroy(*notary);
        *notary = NULL;
    }
    return code;
}

void dbk_notary_stop(struct dbk_notary *notary)
{
    if (!notary)
        return;
    pthread_mutex_lock(&notary->mutex);
    atomic_store(&notary->stopping, true);
    pthread_cond_signal(&notary->woken);
    pthread_cond_broadcast(&notary->shown);
    pthread_mutex_unlock(&notary->mutex);
    pthread_join(notary->thread, NULL);
    destroy(notary);
}

void dbk_notary_state(struct dbk_notary *notary, struct dbk_notary_state *out)
{
    uint64_t size = dbk_tree_size(notary->tree);

    pthread_mutex_lock(&notary->mutex);
    *out = notary->state;
    pthread_mutex_unlock(&notary->mutex);
    out->size = size;
    if (out->head < size)
        out->head = size;
}

struct dbk_tree *dbk_notary_tree(struct dbk_notary *notary)
{
    return notary->tree;
}

/* With the mutex. */
static enum dbk_code not_shown(const struct dbk_notary *notary, struct dbk_error *err)
{
    return dbk_fail(err, DBK_UNAVAILABLE, "the log is not signed: %.440s",
                    atomic_load(&notary->stopping) ? "the server stops"
                                                   : notary->state.why);
}

enum dbk_code dbk_notary_vkey(struct dbk_notary *notary, struct dbk_vkey *key,
                              struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    pthread_mutex_lock(&notary->mutex);
    *key = notary->vkey;
    if (!*notary->state.origin)
        code = not_shown(notary, err);
    pthread_mutex_unlock(&notary->mutex);
    return code;
}

/* With the mutex: what is shown, of a log that is signed. One with more records is of a
 * state that this log was put back from. */
static const struct dbk_signed_checkpoint *find_shown(const struct dbk_notary *notary)
{
    if (!notary->state.needs_witnesses)
        return &notary->last;
    if (!notary->has_cosigned ||
        strcmp(notary->cosigned.checkpoint.origin, notary->state.origin) != 0 ||
        notary->cosigned.checkpoint.size > notary->last.checkpoint.size)
        return NULL;
    return &notary->cosigned;
}

enum dbk_code dbk_notary_checkpoint(struct dbk_notary *notary,
                                    struct dbk_signed_checkpoint *out,
                                    struct dbk_error *err)
{
    const struct dbk_signed_checkpoint *shown = NULL;
    enum dbk_code code = DBK_OK;

    pthread_mutex_lock(&notary->mutex);
    if (notary->has_shown)
        shown = find_shown(notary);
    if (shown)
        *out = *shown;
    else if (!notary->has_shown)
        code = not_shown(notary, err);
    else
        code = dbk_fail(err, DBK_UNAVAILABLE,
                        "no checkpoint has the signatures of as many witnesses as the "
                        "policy asks for: daybook audit cosign --follow asks them");
    pthread_mutex_unlock(&notary->mutex);
    return code;
}

/* With the mutex: whether waiting is over, and with what. */
static bool is_over(const struct dbk_notary *notary, uint64_t size, enum dbk_code *code,
                    struct dbk_error *err)
{
    bool shown = notary->has_shown && notary->last.checkpoint.size >= size;
    bool ends = atomic_load(&notary->stopping) || notary->state.code != DBK_OK;

    *code = DBK_OK;
    if (!shown && ends)
        *code = not_shown(notary, err);
    return shown || ends;
}

enum dbk_code dbk_notary_await(struct dbk_notary *notary, uint64_t size, int timeout_ms,
                               struct dbk_signed_checkpoint *out, struct dbk_error *err)
{
    dbk_deadline until = dbk_deadline_in(timeout_ms > 0 ? timeout_ms : 0);
    enum dbk_code code;

    pthread_mutex_lock(&notary->mutex);
    while (!is_over(notary, size, &code, err) && code == DBK_OK) {
        if (notary->wanted < size) {
            notary->wanted = size;
            notary->called = true;
            pthread_cond_signal(&notary->woken);
        }
        if (!dbk_cond_wait(&notary->shown, &notary->mutex, until) &&
            !is_over(notary, size, &code, err)) {
            code =
                dbk_fail(err, DBK_TIMEOUT,
                         "record %" PRIu64 " was not signed in time: it will be", size);
            break;
        }
    }
    if (code == DBK_OK)
        *out = notary->last;
    pthread_mutex_unlock(&notary->mutex);
    return code;
}

static enum dbk_code prove(struct dbk_notary *notary, uint64_t sequence,
                           const struct dbk_signed_checkpoint *last, char *out,
                           size_t *length, struct dbk_error *err)
{
    struct dbk_log_proof proof = {.index = sequence - 1,
                                  .checkpoint = {last->text, last->length}};
    uint64_t size = last->checkpoint.size;
    enum dbk_code code;

    if (sequence == 0 || sequence > size)
        return dbk_fail(err, DBK_NOT_FOUND,
                        "record %" PRIu64 " is not in the newest checkpoint, which has "
                        "%" PRIu64 " records",
                        sequence, size);
    code = dbk_tree_inclusion(notary->tree, proof.index, size, &proof.path, err);
    if (code == DBK_OK)
        *length = dbk_log_proof_format(&proof, out);
    return code;
}

enum dbk_code dbk_notary_proof(struct dbk_notary *notary, uint64_t sequence,
                               char out[DBK_LOG_PROOF_TEXT + 1], size_t *length,
                               struct dbk_error *err)
{
    struct dbk_signed_checkpoint *last = malloc(sizeof *last);
    enum dbk_code code;

    *length = 0;
    if (!last)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a proof");
    code = dbk_notary_checkpoint(notary, last, err);
    if (code == DBK_OK)
        code = prove(notary, sequence, last, out, length, err);
    free(last);
    return code;
}
