/* What witnesses have signed, taken up from the files of who asks them. */
#include "notary_watch.h"

#include "store/timestamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATIENCE_MS = 60000 };

bool notary_mark_moved(struct notary_mark *mark, const char *dir, const char *name)
{
    char path[DBK_AUDIT_PATH];
    struct stat status;

    if (!dbk_audit_path(dir, name, path) || stat(path, &status) != 0 ||
        (status.st_ino == mark->inode &&
         status.st_mtim.tv_sec == mark->modified.tv_sec &&
         status.st_mtim.tv_nsec == mark->modified.tv_nsec))
        return false;
    *mark = (struct notary_mark){status.st_mtim, status.st_ino};
    return true;
}

static void report(struct dbk_notary *notary, const char *line)
{
    if (notary->options.report)
        notary->options.report(notary->options.report_context, line);
}

static void read_cosigned(struct notary_cosigned *cosigned, struct dbk_notary *notary)
{
    struct dbk_signed_checkpoint *read = malloc(sizeof *read);
    struct dbk_error err;

    if (!read)
        return;
    if (dbk_cosigned_read(notary->dir, notary->options.policy, &cosigned->key, read,
                          &err) == DBK_OK) {
        pthread_mutex_lock(&notary->mutex);
        notary->has_cosigned = true;
        notary->cosigned = *read;
        pthread_mutex_unlock(&notary->mutex);
    } else if (err.code != DBK_NOT_FOUND) {
        report(notary, err.text);
    }
    free(read);
}

static void read_witnesses(struct dbk_notary *notary)
{
    struct dbk_witnesses *read = malloc(sizeof *read);
    char first[sizeof notary->state.alarm] = "";
    unsigned alarms = 0;

    if (!read || dbk_witnesses_read(notary->dir, read, NULL) != DBK_OK) {
        free(read);
        return;
    }
    for (size_t i = 0; i < read->count; i++) {
        const struct dbk_witness_state *state = &read->list[i];

        if (dbk_witness_is_alarm(state->verdict) && alarms++ == 0)
            snprintf(first, sizeof first, "witness %.100s: %s", state->name,
                     state->why);
    }
    free(read);
    pthread_mutex_lock(&notary->mutex);
    if (strcmp(notary->state.alarm, first) == 0)
        first[0] = '\0';
    else
        strcpy(notary->state.alarm, first);
    notary->state.alarms = alarms;
    pthread_mutex_unlock(&notary->mutex);
    if (*first) {
        char line[sizeof first + 16];

        snprintf(line, sizeof line, "ALARM: %s", first);
        report(notary, line);
    }
}

static void tell_behind(struct notary_cosigned *cosigned, struct dbk_notary *notary)
{
    const int64_t now = dbk_timestamp_now();
    const int64_t patience_us =
        INT64_C(1000) * (notary->options.witness_patience_ms > 0
                             ? notary->options.witness_patience_ms
                             : PATIENCE_MS);
    struct dbk_notary_state *state = &notary->state;
    char line[160] = "";

    pthread_mutex_lock(&notary->mutex);
    if (notary->has_cosigned &&
        state->cosigned_size != notary->cosigned.checkpoint.size) {
        state->cosigned_size = notary->cosigned.checkpoint.size;
        state->behind_since = 0; /* they go on */
    }
    if (state->signed_size <= state->cosigned_size && notary->has_cosigned)
        state->behind_since = 0;
    else if (state->behind_since == 0)
        state->behind_since = now;
    state->behind = state->behind_since != 0 && now - state->behind_since > patience_us;
    if (state->behind != cosigned->told_behind && state->behind)
        snprintf(line, sizeof line,
                 "witnesses have signed %" PRIu64 " of %" PRIu64
                 " records, and nothing "
                 "since: daybook audit cosign --follow asks them",
                 state->cosigned_size, state->signed_size);
    else if (state->behind != cosigned->told_behind)
        snprintf(line, sizeof line, "witnesses sign again");
    cosigned->told_behind = state->behind;
    pthread_mutex_unlock(&notary->mutex);
    if (*line)
        report(notary, line);
}

void notary_cosigned_look(struct notary_cosigned *cosigned, struct dbk_notary *notary)
{
    if (!notary->state.needs_witnesses)
        return;
    if (!dbk_vkey_equal(&cosigned->key, &notary->vkey)) { /* it alone changes that */
        cosigned->key = notary->vkey;
        cosigned->cosigned = (struct notary_mark){.inode = 0};
    }
    if (notary_mark_moved(&cosigned->cosigned, notary->dir, "cosigned"))
        read_cosigned(cosigned, notary);
    if (notary_mark_moved(&cosigned->witnesses, notary->dir, "witnesses"))
        read_witnesses(notary);
    tell_behind(cosigned, notary);
}
