/* daybook keys status: all that is to be known of the ring. */
#include "escape.h"
#include "keys_look.h"
#include "keys_parts.h"
#include "tool_data.h"
#include "tool_keys.h"

#include <inttypes.h>
#include <limits.h>

struct state {
    const struct tool *tool;
    char ring[PATH_MAX + 8];
    struct keys_look look;
    struct dbk_keys_check check;
};

static enum dbk_code read_slots(struct state *state, struct dbk_error *err)
{
    struct dbk_keys *keys;
    enum dbk_code code = tool_keys_open(state->tool, true, &keys, err);

    if (code != DBK_OK)
        return code;
    code = dbk_keys_check(keys, &state->check, err);
    dbk_keys_close(keys);
    return code;
}

static void print_text(const char *name, const char *text)
{
    printf("%-13s ", name);
    escape_plain(stdout, dbk_slice(text));
    putchar('\n');
}

static void print_warning(void *context, const char *sentence)
{
    (void)context;
    print_text("warning", sentence);
}

static void print_state(const struct state *state)
{
    const struct keys_look *look = &state->look;
    const struct dbk_keys_state *is = &look->state;
    const struct dbk_keys_check *check = &state->check;

    if (!look->sealed) {
        puts("the log is not sealed: it uses no keys");
        return;
    }
    print_text("ring", state->ring);
    if (*look->error) {
        print_text("trouble", look->error);
        return;
    }
    printf("%-13s %" PRIu64 "\n", "epoch", is->epoch);
    printf("%-13s %" PRIu64 " used, %" PRIu64 " ahead; %" PRIu64 " are erased\n",
           "keys", look->used, is->count > look->used ? is->count - look->used : 0,
           check->erased);
    if (check->damaged > 0)
        printf("%-13s %" PRIu64 ", the first is %" PRIu64
               ": put the copy back that daybook keys backup made\n",
               "damaged", check->damaged, check->first_damaged);
    print_text("master key", is->master);
    if (is->copied_count > 0)
        printf("%-13s %.19s, epoch %" PRIu64 ", %" PRIu64 " keys\n", "newest copy",
               look->copied_at, is->copied_epoch, is->copied_count);
    keys_look_warn(look, print_warning, NULL);
}

static void print_rotation(const struct dbk_keys_state *is)
{
    char at[DBK_TIMESTAMP_TEXT + 1];

    if (is->rotated_at != 0) {
        dbk_timestamp_format(is->rotated_at, at);
        printf(",\"rotated_at\":\"%s\"", at);
    } else {
        fputs(",\"rotated_at\":null", stdout);
    }
    printf(",\"rotated_through\":%" PRIu64, is->rotated_through);
}

static void print_json_ring(const struct state *state)
{
    const struct dbk_keys_state *is = &state->look.state;
    const struct dbk_keys_check *check = &state->check;

    fputs("{\"path\":", stdout);
    escape_string(stdout, state->ring);
    printf(",\"epoch\":%" PRIu64 ",\"keys\":%" PRIu64 ",\"used\":%" PRIu64
           ",\"live\":%" PRIu64 ",\"erased\":%" PRIu64 ",\"damaged\":%" PRIu64
           ",\"first_damaged\":%" PRIu64 ",\"erased_through\":%" PRIu64 ",\"master\":",
           is->epoch, is->count, state->look.used, check->live, check->erased,
           check->damaged, check->first_damaged, is->erased_through);
    escape_string(stdout, is->master);
    printf(",\"master_beside\":%s,\"copy\":", is->beside ? "true" : "false");
    if (is->copied_count > 0)
        printf("{\"at\":\"%s\",\"epoch\":%" PRIu64 ",\"keys\":%" PRIu64 "}",
               state->look.copied_at, is->copied_epoch, is->copied_count);
    else
        fputs("null", stdout);
    print_rotation(is);
    putchar('}');
}

static void print_json(const struct state *state)
{
    const struct keys_look *look = &state->look;

    printf("{\"sealed\":%s,\"ring\":", look->sealed ? "true" : "false");
    if (!look->sealed || *look->error)
        fputs("null", stdout);
    else
        print_json_ring(state);
    fputs(",\"error\":", stdout);
    if (*look->error)
        escape_string(stdout, look->error);
    else
        fputs("null", stdout);
    fputs(",\"warnings\":", stdout);
    keys_look_print_warnings(look, stdout);
    puts("}");
}

enum tool_exit keys_status(const struct tool *tool)
{
    struct state state = {.tool = tool};
    struct dbk_log *log;
    struct dbk_error err;
    char dir[PATH_MAX];

    if (!tool_keys_dir(tool->config, dir, sizeof dir, &err) ||
        tool_log_open(tool, &log, &err) != DBK_OK)
        return tool_fail(tool, &err);
    snprintf(state.ring, sizeof state.ring, "%s/ring", dir);
    keys_look(tool, log, &state.look);
    dbk_log_close(log);
    if (state.look.sealed && !*state.look.error && read_slots(&state, &err) != DBK_OK)
        snprintf(state.look.error, sizeof state.look.error, "%s", err.text);
    if (tool_has(tool, "--json"))
        print_json(&state);
    else
        print_state(&state);
    return *state.look.error || state.check.damaged > 0 ? TOOL_DIFFERENT : TOOL_DONE;
}
