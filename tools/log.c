/* daybook log - shows records: one, the last ones, or all of one person. */
#include "store/log.h"
#include "audit_proof.h"
#include "command.h"
#include "http/record_json.h"
#include "log_print.h"
#include "position.h"
#include "signals.h"
#include "store/durable.h"
#include "store/history.h"
#include "tool_data.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 200
#define TAIL_LINES 10

enum { PAGE = 512, LOOK_MAX = 100000 }; /* records: shown at once; between two looks */

/* One showing. */
struct showing {
    struct dbk_log *log;
    char *json; /* room for a record's; NULL: not as JSON */

    const struct dbk_person_records *person; /* NULL: of anyone */
    enum dbk_type type;                      /* 0: of any */
    const char *actor;        /* NULL: by whomever; "": by nobody who is named */
    uint64_t limit;           /* 0: none */
    bool blocks;              /* rather than lines */
    struct log_before before; /* of that person */
    uint64_t shown, damaged;  /* records */
};

static bool is_wanted(const struct showing *showing, const struct dbk_record *record)
{
    return (!showing->person || dbk_person_records_has(showing->person, record)) &&
           (!showing->type || record->type == showing->type) &&
           (!showing->actor ||
            dbk_slice_equal(record->actor, dbk_slice(showing->actor)));
}

static bool is_full(const struct showing *showing)
{
    return showing->limit > 0 && showing->shown == showing->limit;
}

static enum dbk_code show_record(void *context, const struct dbk_record *record,
                                 struct dbk_error *err)
{
    struct showing *showing = context;

    if (!is_wanted(showing, record))
        return DBK_OK;
    if (is_full(showing))
        return dbk_fail(err, DBK_INTERRUPTED, "enough");
    showing->shown++;
    if (showing->json)
        return log_print_json(stdout, record, showing->json, err);
    if (showing->blocks)
        log_print_block(stdout, record, showing->person ? &showing->before : NULL);
    else
        log_print_line(stdout, record);
    log_before_take(&showing->before, record);
    return DBK_OK;
}

/* It is told, and is no reason to hide those behind it. */
static enum dbk_code tell_damaged(void *context, struct dbk_error *err)
{
    struct showing *showing = context;

    showing->damaged++;
    fprintf(stderr, "daybook log: %s\n", err->text);
    return DBK_OK;
}

static enum dbk_code flush(struct dbk_error *err)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return DBK_OK;
    if (errno == EPIPE)
        return dbk_fail(err, DBK_UNAVAILABLE, "nobody reads on");
    return dbk_system_fail(err, "write to", "standard output");
}

/* Between two batches. */
static enum dbk_code flush_or_stop(void *context, uint64_t at, struct dbk_error *err)
{
    (void)context;
    (void)at;
    if (signals_came())
        return dbk_fail(err, DBK_INTERRUPTED, "stopped");
    return flush(err);
}

/* Show what is behind `after`, up to and with `to`. */
static enum dbk_code show_range(struct showing *showing, uint64_t after, uint64_t to,
                                struct dbk_error *err)
{
    const struct dbk_log_visitor visitor = {.record = show_record,
                                            .unreadable = tell_damaged,
                                            .before = flush_or_stop,
                                            .context = showing};
    enum dbk_code code = dbk_log_each(showing->log, after, to, &visitor, err);

    return code == DBK_OK ? flush(err) : code;
}

static enum dbk_code show_one(struct showing *showing, uint64_t sequence,
                              struct dbk_error *err)
{
    uint64_t head;

    showing->blocks = true;
    if (dbk_log_head(showing->log, &head, err) != DBK_OK)
        return err->code;
    if (sequence > head)
        return dbk_fail(err, DBK_NOT_FOUND,
                        "there is no record %" PRIu64 ": the log ends with %" PRIu64,
                        sequence, head);
    return show_range(showing, sequence - 1, sequence, err);
}

/* Behind the record, so that what is behind the empty line is a proof file. */
static enum dbk_code show_proof(const struct tool *tool, uint64_t sequence,
                                struct dbk_error *err)
{
    char *text;
    size_t length;

    if (audit_proof_make(tool, sequence, &text, &length, err) != DBK_OK)
        return err->code;
    putchar('\n');
    fwrite(text, 1, length, stdout);
    free(text);
    return flush(err);
}

/* Those of a page. */
static enum dbk_code show_found(struct showing *showing,
                                const struct dbk_history_page *page,
                                struct dbk_error *err)
{
    const struct dbk_log_visitor visitor = {
        .record = show_record, .unreadable = tell_damaged, .context = showing};
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; i < page->count && code == DBK_OK; i++)
        code = dbk_log_each(showing->log, page->sequences[i] - 1, page->sequences[i],
                            &visitor, err);
    return code == DBK_OK ? flush_or_stop(NULL, page->after, err) : code;
}

/* By the index as far as there is one, and else by a walk. */
static enum dbk_code show_history(struct showing *showing, const char *index,
                                  struct dbk_error *err)
{
    uint64_t found[PAGE];
    struct dbk_history_page page = {
        .limit = PAGE, .sequences = found, .look_max = LOOK_MAX, .unreadable = true};
    struct dbk_history *history;
    enum dbk_code code;

    dbk_history_open(index, showing->log, &history, NULL);
    do {
        code = dbk_history_find(history, showing->person, &page, err);
        if (code == DBK_OK)
            code = show_found(showing, &page, err);
    } while (code == DBK_OK && page.more);
    dbk_history_close(history);
    return code;
}

static enum dbk_code show_person(const struct tool *tool, struct showing *showing,
                                 const struct dbk_uuid *id, struct dbk_error *err)
{
    struct dbk_person_records person;
    char index[PATH_MAX];
    enum dbk_code code;

    if (!tool_history_dir(tool->config, index, sizeof index, err) ||
        dbk_person_records_init(&person, showing->log, id, err) != DBK_OK)
        return err->code;
    showing->person = &person;
    showing->blocks = true;
    code = show_history(showing, index, err);
    showing->person = NULL;
    dbk_person_records_finish(&person);
    if (code == DBK_OK && showing->shown == 0)
        code = dbk_fail(err, DBK_NOT_FOUND, "no record is about that person");
    return code;
}

/* In a log that was put back, what comes behind `after` does not follow on it. */
static enum dbk_code wait_for_more(struct showing *showing, uint64_t after,
                                   uint32_t checksum, uint64_t *head,
                                   struct dbk_error *err)
{
    enum dbk_code code;

    do {
        code = dbk_log_wait(showing->log, after, WAIT_MS, head, err);
        if (code == DBK_OK)
            code = dbk_log_check_history(showing->log, after, checksum, err);
    } while (code == DBK_OK && *head <= after && !signals_came());
    *head = *head > after ? *head : after;
    return code;
}

static enum dbk_code show_tail(struct showing *showing, uint64_t lines, bool follow,
                               struct dbk_error *err)
{
    uint64_t head, after;
    uint32_t checksum = 0;
    enum dbk_code code = dbk_log_head(showing->log, &head, err);

    if (code != DBK_OK)
        return code;
    after = head > lines ? head - lines : 0;
    code = show_range(showing, after, head, err);
    while (code == DBK_OK && follow && !signals_came()) {
        after = head;
        if (after > 0)
            code = dbk_log_checksum(showing->log, after, &checksum, err);
        if (code == DBK_OK)
            code = wait_for_more(showing, after, checksum, &head, err);
        if (code == DBK_OK)
            code = show_range(showing, after, head, err);
    }
    /* Ctrl-C is how following ends. */
    return code == DBK_INTERRUPTED && follow ? DBK_OK : code;
}

/* What the command line asks for. */
struct wish {
    enum { SHOW, TAIL, PERSON, LIST } what;
    uint64_t number; /* SHOW: the sequence; TAIL, LIST: how many, LIST 0: all */
    struct dbk_uuid person;
    struct position_range range; /* LIST, as what follows */
    enum dbk_type type;
};

static enum dbk_code show_list(struct showing *showing, const struct wish *wish,
                               struct dbk_error *err)
{
    uint64_t from, to;
    enum dbk_code code =
        position_range_find(&wish->range, showing->log, false, &from, &to, err);

    showing->type = wish->type;
    showing->limit = wish->number;
    if (code == DBK_OK && from <= to)
        code = show_range(showing, from - 1, to, err);
    return code != DBK_OK && is_full(showing) ? flush(err) : code;
}

static bool read_number(const char *text, uint64_t *out)
{
    char *end;

    if (*text < '0' || *text > '9')
        return false;
    *out = strtoull(text, &end, 10);
    return *end == '\0';
}

static enum tool_exit read_list(const struct tool *tool, struct wish *wish)
{
    const char *type = tool_value(tool, "--type"), *limit = tool_value(tool, "--limit");
    struct dbk_error err;

    wish->what = LIST;
    wish->number = 0;
    if (tool->operand_count > 1)
        return tool_misused(tool, "unexpected \"%.64s\"", tool->operands[1]);
    if (type && !dbk_type_parse(type, strlen(type), &wish->type))
        return tool_misused(tool,
                            "--type is \"%.64s\": no such type of record, as %s is",
                            type, dbk_type_name(DBK_EVENT_RECORDED));
    if (limit && (!read_number(limit, &wish->number) || wish->number == 0))
        return tool_misused(tool, "--limit is \"%.64s\": expected a number from 1",
                            limit);
    if (position_range_parse(tool_value(tool, "--from"), tool_value(tool, "--to"),
                             &wish->range, &err) != DBK_OK)
        return tool_misused(tool, "%s", err.text);
    return TOOL_DONE;
}

/* What is for log list only. */
static bool has_filter(const struct tool *tool)
{
    static const char *const flags[] = {"--from", "--to", "--type", "--actor",
                                        "--limit"};

    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (tool_has(tool, flags[i]))
            return true;
    }
    return false;
}

static enum tool_exit read_wish(const struct tool *tool, struct wish *wish)
{
    const char *what = tool->operands[0], *lines = tool_value(tool, "-n");
    const char *operand = tool->operand_count > 1 ? tool->operands[1] : NULL;

    *wish = (struct wish){.what = TAIL, .number = TAIL_LINES};
    if (strcmp(what, "tail") != 0 && (lines || tool_has(tool, "-f")))
        return tool_misused(tool, "-n and -f are for log tail");
    if (tool_has(tool, "--proof") &&
        (strcmp(what, "show") != 0 || tool_has(tool, "--json")))
        return tool_misused(tool, "--proof is for log show, and without --json");
    if (!strcmp(what, "list"))
        return read_list(tool, wish);
    if (has_filter(tool))
        return tool_misused(
            tool, "--from, --to, --type, --actor and --limit are for log list");
    if (!strcmp(what, "tail")) {
        if (operand)
            return tool_misused(tool, "unexpected \"%.64s\"", operand);
        if (lines && !read_number(lines, &wish->number))
            return tool_misused(tool, "-n is \"%.64s\": expected a number", lines);
    } else if (!strcmp(what, "show")) {
        wish->what = SHOW;
        if (!operand || !read_number(operand, &wish->number) || wish->number == 0)
            return tool_misused(tool, "log show needs a sequence, 1 or more");
    } else if (!strcmp(what, "person")) {
        wish->what = PERSON;
        if (!operand || !dbk_uuid_parse(operand, strlen(operand), &wish->person))
            return tool_misused(tool, "log person needs the id of a person");
    } else {
        return tool_misused(tool, "\"%.64s\" is none of show, tail, list and person",
                            what);
    }
    return TOOL_DONE;
}

static enum dbk_code show(const struct tool *tool, const struct wish *wish,
                          struct showing *showing, struct dbk_error *err)
{
    switch (wish->what) {
    case SHOW:
        if (show_one(showing, wish->number, err) != DBK_OK)
            return err->code;
        return tool_has(tool, "--proof") ? show_proof(tool, wish->number, err) : DBK_OK;
    case TAIL:
        return show_tail(showing, wish->number, tool_has(tool, "-f"), err);
    case LIST:
        showing->actor = tool_value(tool, "--actor");
        return show_list(showing, wish, err);
    case PERSON:
        break;
    }
    return show_person(tool, showing, &wish->person, err);
}

static enum tool_exit show_log(const struct tool *tool, const struct wish *wish,
                               struct dbk_log *log)
{
    struct showing showing = {.log = log};
    bool json = tool_has(tool, "--json");
    enum dbk_code code;
    struct dbk_error err;

    showing.json = json ? malloc(DBK_RECORD_JSON_MAX) : NULL;
    if (json && !showing.json)
        code = dbk_fail(&err, DBK_NO_MEMORY, "out of memory");
    else
        code = show(tool, wish, &showing, &err);
    free(showing.json);
    if (code == DBK_UNAVAILABLE && ferror(stdout))
        return TOOL_FAILED; /* who closes the pipe has seen enough */
    if (code != DBK_OK)
        return tool_refuse(tool, &err);
    return showing.damaged ? TOOL_DIFFERENT : TOOL_DONE;
}

static enum tool_exit run(struct tool *tool)
{
    struct wish wish;
    struct dbk_log *log;
    struct dbk_error err;
    enum tool_exit exit = read_wish(tool, &wish);

    if (exit != TOOL_DONE)
        return exit;
    signals_hold();
    if (tool_log_open(tool, &log, &err) != DBK_OK)
        return tool_fail(tool, &err);
    exit = show_log(tool, &wish, log);
    dbk_log_close(log);
    return exit;
}

const struct command command_log = {
    .name = "log",
    .purpose = "show a record, the last ones, those of a range, or of one person",
    .operands = "show N | tail | list | person ID",
    .details =
        "show    the record with the sequence N\n"
        "tail    the last records, a line each; with -f also those that come, until\n"
        "        Ctrl-C\n"
        "list    the records of a range, by type or actor, a line each\n"
        "person  all records about a person and the person's events, oldest first, "
        "with\n"
        "        what an update changed; events of an alias, too, those before it "
        "became\n"
        "        one; by the history index of serve, as far as it goes\n"
        "\n" POSITION_HELP "\n"
        "It works beside a running server and needs no PostgreSQL. A damaged record "
        "is\n"
        "told, and the others are shown (exit code 1).\n",
    .example = "  daybook log tail -f\n"
               "  daybook log list --from 2026-11-23 --actor shop --limit 50\n"
               "  daybook log show 1234 --json\n"
               "  daybook log show 1234 --proof\n"
               "  daybook log person 9c65af1a-c109-4c17-9bf1-5f4bcac95e3c\n",
    .settings = CONFIG_GROUP_DATA,
    .operands_min = 1,
    .operands_max = 2,
    .options =
        {
            {"-n", "N", "With tail: so many of the last records (10)"},
            {"-f", NULL, "With tail: go on with those that come"},
            {"--from", "P", "With list: begin with this record"},
            {"--to", "P", "With list: end with this record"},
            {"--type", "TYPE", "With list: only of this type, such as event.recorded"},
            {"--actor", "NAME", "With list: only what this token has written"},
            {"--limit", "N", "With list: the first N of them"},
            {"--proof", NULL,
             "With show: prove that it is in the signed log, as audit prove"},
            {"--json", NULL, "Records as JSON, a line each, as GET /log has them"},
        },
    .run = run,
};
