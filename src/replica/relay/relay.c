/* dbk_relay_run: the log's records, into a topic for others. */
#include "replica/relay.h"

#include "relay_end.h"
#include "relay_send.h"
#include "store/clock.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    BATCH = 8192,
    BATCH_BYTES = 16 << 20,
    LINGER_MS = 200,
    WAIT_MS = 200,    /* between looks whether to stop */
    BEGIN_MS = 30000, /* for brokers to begin; to tell of the end */
    TRIES = 5,
    TRY_PAUSE_MS = 1000,
};

/* One run. */
struct relay {
    struct dbk_log *log;
    const struct dbk_relay_options *options;
    struct dbk_uuid store_id;
    char log_id[DBK_UUID_TEXT + 1];
    struct relay_sender *sender;
    struct dbk_batch batch;
    uint64_t at; /* the last record that is in the topic */
    uint64_t *sent;
    unsigned failures; /* since the last commit */
};

/* Who sent under this name before is fenced first, so that the end stays the end. */
static enum dbk_code begin(struct relay *relay, struct dbk_error *err)
{
    uint64_t head, at;

    relay_sender_close(relay->sender);
    if (relay_sender_open(relay->options, BEGIN_MS, &relay->sender, err) != DBK_OK ||
        relay_end_find(relay->options, &relay->store_id, BEGIN_MS, &at, err) !=
            DBK_OK ||
        dbk_log_head(relay->log, &head, err) != DBK_OK)
        return err->code;
    if (at > head)
        return dbk_fail(err, DBK_CONFLICT,
                        "the topic %s has record %" PRIu64 ", and this log ends with "
                        "%" PRIu64
                        ": it is behind others; run it where the log is whole",
                        relay->options->topic, at, head);
    if (at > relay->at && relay->failures > 0) /* the commit had come about */
        *relay->sent += at - relay->at;
    relay->at = at;
    return DBK_OK;
}

static enum dbk_code add(struct relay *relay, size_t i, struct dbk_error *err)
{
    const struct dbk_relay_options *options = relay->options;
    struct dbk_record record;
    struct dbk_slice key;
    enum dbk_code code;
    char *text = NULL;
    size_t length;

    if (dbk_batch_record(&relay->batch, i, &record, err) != DBK_OK ||
        options->render(options->render_context, &record, &text, &length, &key, err) !=
            DBK_OK)
        return err->code;
    code =
        relay_sender_add(relay->sender, &record, relay->log_id, key, text, length, err);
    free(text);
    return code;
}

/* What was read, in one transaction. */
static enum dbk_code send_batch(struct relay *relay, struct dbk_error *err)
{
    size_t count = relay->batch.count;

    if (relay_sender_begin(relay->sender, err) != DBK_OK)
        return err->code;
    for (size_t i = 0; i < count; i++) {
        if (add(relay, i, err) != DBK_OK)
            return err->code;
    }
    if (relay_sender_commit(relay->sender, err) != DBK_OK)
        return err->code;
    relay->at = relay->batch.entries[count - 1].sequence;
    *relay->sent += count;
    relay->failures = 0;
    return DBK_OK;
}

/* A transaction costs the same whatever it holds: fewer records than fit wait for more. */
static enum dbk_code await(struct relay *relay, uint64_t *head, struct dbk_error *err)
{
    const struct dbk_relay_options *options = relay->options;
    unsigned batch = options->batch > 0 ? options->batch : BATCH;
    int linger_ms = options->linger_ms > 0 ? options->linger_ms : LINGER_MS;
    dbk_deadline deadline;

    for (*head = relay->at; *head <= relay->at;) {
        if (dbk_watch_progress(&options->watch, "relaying", "records", relay->at, *head,
                               err) != DBK_OK ||
            dbk_log_wait(relay->log, relay->at, options->follow ? WAIT_MS : 0, head,
                         err) != DBK_OK)
            return err->code;
        if (!options->follow)
            return DBK_OK;
    }
    deadline = dbk_deadline_in(linger_ms);
    while (*head - relay->at < batch && dbk_deadline_left(deadline) > 0) {
        if (dbk_log_wait(relay->log, *head, dbk_deadline_left(deadline), head, err) !=
            DBK_OK)
            return err->code;
    }
    return DBK_OK;
}

static enum dbk_code pass_on(struct relay *relay, bool *ended, struct dbk_error *err)
{
    const struct dbk_relay_options *options = relay->options;
    uint64_t head;

    if (await(relay, &head, err) != DBK_OK)
        return err->code;
    *ended = head <= relay->at && !options->follow;
    if (head <= relay->at)
        return DBK_OK;
    if (dbk_watch_progress(&options->watch, "relaying", "records", relay->at, head,
                           err) != DBK_OK ||
        dbk_log_read(relay->log, relay->at, options->batch > 0 ? options->batch : BATCH,
                     BATCH_BYTES, &relay->batch, err) != DBK_OK)
        return err->code;
    return relay->batch.count > 0 ? send_batch(relay, err) : DBK_OK;
}

/* Brokers go and come; whether the last commit has come about the topic tells. */
static bool may_try_again(struct relay *relay, const struct dbk_error *err)
{
    if (err->code != DBK_UNAVAILABLE || ++relay->failures >= TRIES)
        return false;
    dbk_watch_say(&relay->options->watch, "trying again: %s", err->text);
    for (int i = 0; i * WAIT_MS < TRY_PAUSE_MS; i++) {
        if (dbk_watch_stops(&relay->options->watch))
            return false;
        dbk_sleep_ms(WAIT_MS);
    }
    return true;
}

enum dbk_code dbk_relay_run(struct dbk_log *log,
                            const struct dbk_relay_options *options, uint64_t *sent,
                            struct dbk_error *err)
{
    struct relay relay = {.log = log,
                          .options = options,
                          .store_id = dbk_log_store_id(log),
                          .sent = sent};
    struct dbk_error why = {0};
    enum dbk_code code;
    bool ended = false;

    *sent = 0;
    dbk_uuid_format(&relay.store_id, relay.log_id);
    do {
        why = (struct dbk_error){0};
        code = begin(&relay, &why);
        while (code == DBK_OK && !ended)
            code = pass_on(&relay, &ended, &why);
    } while (code != DBK_OK && may_try_again(&relay, &why));
    relay_sender_close(relay.sender);
    dbk_batch_finish(&relay.batch);
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}
