#include "keys_look.h"

#include "escape.h"
#include "store/keys_used.h"
#include "tool_keys.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

/* A copy covers DBK_KEYS_AHEAD numbers beyond those that were used when it was made: with half of
 * them used, a new one is due. */
enum { COVERED_LEAST = DBK_KEYS_AHEAD / 2 };

void keys_look(const struct tool *tool, struct dbk_log *log, struct keys_look *out)
{
    struct dbk_keys *keys;
    struct dbk_keys_used used = {0};
    struct dbk_error err;
    enum dbk_code code;

    *out = (struct keys_look){.sealed = dbk_log_is_sealed(log)};
    if (!out->sealed)
        return;
    code = dbk_log_keys_used(log, &used, &err);
    out->used = used.highest;
    if (code == DBK_OK)
        code = tool_keys_open(tool, true, &keys, &err);
    if (code == DBK_OK) {
        code = dbk_keys_state(keys, &out->state, &err);
        if (code == DBK_OK)
            code = dbk_log_keys_fit(log, keys, &err);
        dbk_keys_close(keys);
    }
    if (code != DBK_OK)
        snprintf(out->error, sizeof out->error, "%s", err.text);
    else if (out->state.copied_count > 0)
        dbk_timestamp_format(out->state.copied_at, out->copied_at);
}

struct sayer {
    void (*say)(void *context, const char *sentence);
    void *context;
};

static void say(const struct sayer *sayer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(const struct sayer *sayer, const char *format, ...)
{
    char sentence[DBK_KEYS_PATH + 512];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    sayer->say(sayer->context, sentence);
}

static void warn_of_copy(const struct keys_look *look, const struct sayer *sayer)
{
    const struct dbk_keys_state *state = &look->state;

    if (state->copied_count == 0)
        say(sayer,
            "the ring of keys is in no backup, and where it is lost nobody can read "
            "a name again: daybook keys backup TO, or daybook backup");
    else if (state->copied_epoch < state->epoch)
        say(sayer,
            "the newest copy of the ring, of %.19s, is of before the last rotation, "
            "and "
            "opens no more: daybook keys backup TO",
            look->copied_at);
    else if (look->used + COVERED_LEAST > state->copied_count)
        say(sayer,
            "the newest copy of the ring, of %.19s, has keys for %" PRIu64
            " more persons only: daybook keys backup TO",
            look->copied_at,
            state->copied_count > look->used ? state->copied_count - look->used : 0);
}

void keys_look_warn(const struct keys_look *look,
                    void (*to)(void *context, const char *sentence), void *context)
{
    const struct sayer sayer = {to, context};

    if (!look->sealed || *look->error)
        return; /* that is told by itself */
    warn_of_copy(look, &sayer);
    if (look->state.left)
        say(&sayer,
            "a rotation of the master key was killed: what it had made lies beside the "
            "ring and the master key, as files that end with .new, and is cleared away "
            "by the next erasure, the next start of serve, and by daybook keys backup "
            "and rotate");
    if (look->state.beside)
        say(&sayer,
            "the master key lies beside the ring, in %s: who copies the one copies the "
            "other, so it only serves to rotate; MASTER_KEY_FILE names one elsewhere",
            look->state.master);
}

struct list {
    FILE *out;
    const char *comma;
};

static void add(void *context, const char *sentence)
{
    struct list *list = context;

    fputs(list->comma, list->out);
    escape_string(list->out, sentence);
    list->comma = ",";
}

void keys_look_print_warnings(const struct keys_look *look, FILE *out)
{
    struct list list = {out, ""};

    putc('[', out);
    keys_look_warn(look, add, &list);
    putc(']', out);
}
