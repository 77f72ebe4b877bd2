/* daybook audit cosign: has witnesses sign what the server signed. */
#include "audit_parts.h"

#include "cosign.h"
#include "escape.h"
#include "plural.h"
#include "policy_file.h"
#include "signals.h"
#include "store/clock.h"
#include "tool_data.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 200, AGAIN_MS = 1000 };

struct run {
    const struct tool *tool;
    struct dbk_policy *policy;
    struct dbk_log *log;
    struct cosign *cosign;
    char dir[4096];
    char told[sizeof((struct dbk_error *)0)->text]; /* of what failed here */
};

static void report(void *context, bool alarm, const char *line)
{
    const struct run *run = context;

    logger_line(run->tool->logger, alarm ? LOG_LEVEL_ERROR : LOG_LEVEL_WARN, line);
}

static void close_all(struct run *run)
{
    cosign_destroy(run->cosign);
    dbk_log_close(run->log);
    dbk_policy_destroy(run->policy);
    run->cosign = NULL;
    run->log = NULL;
    run->policy = NULL;
}

static enum dbk_code open_parts(struct run *run, struct dbk_error *err)
{
    const char *path = config_text(run->tool->config, SETTING_AUDIT_POLICY);
    struct cosign_options options = {
        .dir = run->dir, .report = report, .report_context = run};

    if (!*path)
        return dbk_fail(err, DBK_INVALID,
                        "AUDIT_POLICY is needed: the file that names the witnesses");
    if (policy_file_read(path, &run->policy, err) != DBK_OK ||
        !tool_audit_dir(run->tool->config, run->dir, sizeof run->dir, err))
        return err->code;
    if (tool_log_open(run->tool, &run->log, err) != DBK_OK)
        return err->code;
    options.log = run->log;
    options.policy = run->policy;
    return cosign_create(&options, &run->cosign, err);
}

static enum dbk_code open_all(struct run *run, struct dbk_error *err)
{
    enum dbk_code code = open_parts(run, err);

    if (code != DBK_OK)
        close_all(run);
    return code;
}

static bool any_alarm(const struct dbk_witnesses *states)
{
    for (size_t i = 0; i < states->count; i++) {
        if (dbk_witness_is_alarm(states->list[i].verdict))
            return true;
    }
    return false;
}

static size_t signers(const struct dbk_witnesses *states)
{
    size_t count = 0;

    for (size_t i = 0; i < states->count; i++)
        count += states->list[i].verdict == DBK_WITNESS_COSIGNED;
    return count;
}

static void print_text(const struct run *run)
{
    const struct dbk_witnesses *states = cosign_states(run->cosign);

    for (size_t i = 0; i < states->count; i++) {
        const struct dbk_witness_state *state = &states->list[i];

        fputs(i == 0 ? "witnesses     " : "              ", stdout);
        escape_plain(stdout, dbk_slice(state->name));
        printf("  %s%s", dbk_witness_verdict_name(state->verdict),
               *state->why ? ": " : "");
        escape_plain(stdout, dbk_slice(state->why));
        fputc('\n', stdout);
    }
    printf("checkpoint    %s, signed by %zu of %zu: %s the policy asks for\n",
           plural(cosign_size(run->cosign), "records").text, signers(states),
           states->count, cosign_met(run->cosign) ? "as many as" : "fewer than");
}

static void print_json(const struct run *run)
{
    const struct dbk_witnesses *states = cosign_states(run->cosign);

    printf("{\"records\":%" PRIu64 ",\"met\":%s,\"witnesses\":[",
           cosign_size(run->cosign), cosign_met(run->cosign) ? "true" : "false");
    for (size_t i = 0; i < states->count; i++) {
        const struct dbk_witness_state *state = &states->list[i];

        fputs(i == 0 ? "{\"name\":" : ",{\"name\":", stdout);
        escape_string(stdout, state->name);
        printf(",\"state\":\"%s\",\"since\":%" PRId64 ",\"records\":%" PRIu64
               ",\"why\":",
               dbk_witness_verdict_name(state->verdict), state->since, state->size);
        escape_string(stdout, state->why);
        fputc('}', stdout);
    }
    puts("]}");
}

/* A log that is not the one that was signed is what it was asked for. */
static enum tool_exit fail(const struct run *run, const struct dbk_error *err)
{
    enum tool_exit exit = tool_fail(run->tool, err);

    return err->code == DBK_MOVED ? TOOL_DIFFERENT : exit;
}

static enum tool_exit once(struct run *run)
{
    struct dbk_error err = {0};

    while (!cosign_settled(run->cosign)) {
        if (signals_came())
            dbk_fail(&err, DBK_INTERRUPTED, "stopped");
        if (err.code != DBK_OK || cosign_step(run->cosign, WAIT_MS, &err) != DBK_OK)
            return fail(run, &err);
    }
    if (tool_has(run->tool, "--json"))
        print_json(run);
    else
        print_text(run);
    if (any_alarm(cosign_states(run->cosign)))
        return TOOL_DIFFERENT;
    return cosign_met(run->cosign) ? TOOL_DONE : TOOL_FAILED;
}

/* What is wrong here is told once until it changes, and tried again: the server may not have
 * signed yet, or the disk be full. */
static void tell(struct run *run, enum dbk_code code, const struct dbk_error *err)
{
    const char *text = code == DBK_OK ? "" : err->text;

    if (strcmp(text, run->told) != 0)
        logger_line(run->tool->logger, code == DBK_OK ? LOG_LEVEL_INFO : LOG_LEVEL_WARN,
                    code == DBK_OK ? "witnesses are asked again" : text);
    snprintf(run->told, sizeof run->told, "%s", text);
}

/* Where something is wrong with the log or what was signed, all is opened anew: the log may
 * have been put back. What cannot be written here is no reason to ask witnesses again. */
static enum dbk_code step(struct run *run, struct dbk_error *err)
{
    enum dbk_code code = run->cosign ? DBK_OK : open_all(run, err);

    if (code != DBK_OK)
        return code;
    code = cosign_step(run->cosign, WAIT_MS, err);
    if (code == DBK_MOVED || code == DBK_DAMAGED)
        close_all(run);
    return code;
}

static enum tool_exit follow(struct run *run)
{
    bool was_met = false;

    while (!signals_came()) {
        struct dbk_error err = {0};
        enum dbk_code code = step(run, &err);
        bool met = code == DBK_OK && cosign_met(run->cosign);

        tell(run, code, &err);
        if (code != DBK_OK)
            dbk_sleep_ms(AGAIN_MS);
        if (met && !was_met)
            logger_write(
                run->tool->logger, LOG_LEVEL_INFO, "cosigned",
                &(struct log_field){.key = "records",
                                    .number = (int64_t)cosign_size(run->cosign)},
                1);
        was_met = met;
    }
    return TOOL_DONE;
}

enum tool_exit audit_cosign(const struct tool *tool)
{
    struct run run = {.tool = tool};
    enum tool_exit exit;
    struct dbk_error err;

    signals_hold();
    if (open_all(&run, &err) != DBK_OK)
        exit = tool_refuse(tool, &err);
    else
        exit = tool_has(tool, "--follow") ? follow(&run) : once(&run);
    close_all(&run);
    return exit;
}
