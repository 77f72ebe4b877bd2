/* daybook person erase: destroys the keys of a person, beside a server or without one. */
#include "log_place.h"
#include "person_parts.h"
#include "person_show.h"
#include "scrub.h"
#include "signals.h"
#include "store/command.h"

/* Erased before is as good: the receipt is the same. */
static enum dbk_code submit(struct dbk_log *log, struct dbk_command *command,
                            struct dbk_error *err)
{
    const struct dbk_verdict *verdict = dbk_command_verdict(command);
    enum dbk_code code = dbk_log_submit(log, &command, 1, NULL, NULL, err);

    if (code != DBK_OK || verdict->code == DBK_OK || verdict->code == DBK_EXISTS)
        return code;
    *err = verdict->error;
    return verdict->code;
}

static enum dbk_code erase(struct dbk_log *log, const struct dbk_uuid *id,
                           struct dbk_error *err)
{
    const struct dbk_record erased = {
        .type = DBK_PERSON_ERASED, .subject = *id, .source = dbk_slice("command")};
    struct dbk_command *command = dbk_command_create();
    enum dbk_code code;

    if (!command)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to erase a person");
    code = dbk_command_add(command, &erased, err);
    if (code == DBK_OK)
        code = submit(log, command, err);
    dbk_command_destroy(command);
    return code;
}

/* *done: whatever comes then, the person is erased. */
static enum dbk_code erase_in(const struct tool *tool, const struct dbk_uuid *id,
                              bool *done, struct dbk_erasure *erasure,
                              struct dbk_error *err)
{
    struct dbk_log *log;
    enum dbk_code code;

    *done = false;
    if (log_place_open(tool, false, NULL, &log, err) != DBK_OK)
        return err->code;
    code = log_place_check_alone(
        log, "send it DELETE /persons/{id}?erase=true (docs/erasure.md)", err);
    if (code == DBK_OK)
        code = erase(log, id, err);
    *done = code == DBK_OK;
    if (code == DBK_OK)
        code = person_erasure_find(tool, log, id, erasure, err);
    dbk_log_close(log);
    return code;
}

static enum tool_exit fail(const struct tool *tool, bool done, struct dbk_error *err)
{
    if (done)
        dbk_wrap(err,
                 "the person is erased, and there is no receipt yet (daybook person "
                 "receipt prints it)");
    tool_fail(tool, err);
    return err->code == DBK_CONFLICT && !done ? TOOL_DIFFERENT : TOOL_FAILED;
}

/* What cannot be put into its file is printed, and PostgreSQL scrubbed, all the same. */
static enum tool_exit tell(const struct tool *tool, struct person_file *file,
                           const struct dbk_erasure *erasure)
{
    struct person_known known;
    enum tool_exit kept, exit;

    person_known_find(tool, erasure, &known);
    kept = person_file_put(tool, file, erasure, &known.is);
    exit = tool_has(tool, "--scrub") ? person_show_scrub(tool, erasure, &known.is)
                                     : person_show(tool, erasure, &known.is);
    person_known_finish(&known);
    return kept == TOOL_DONE ? exit : kept;
}

enum tool_exit person_erase(const struct tool *tool)
{
    struct dbk_erasure erasure = {0};
    struct person_file file;
    struct dbk_error err;
    struct dbk_uuid id;
    enum tool_exit exit = person_operand(tool, &id);
    bool done;

    if (exit == TOOL_DONE && tool_has(tool, "--scrub"))
        exit = scrub_check(tool);
    if (exit != TOOL_DONE)
        return exit;
    if (person_file_open(tool, &file, &err) != DBK_OK) {
        dbk_wrap(&err, "nobody was erased");
        return tool_fail(tool, &err);
    }
    signals_hold(); /* it is done, or it was not begun */
    if (erase_in(tool, &id, &done, &erasure, &err) == DBK_OK) {
        exit = tell(tool, &file, &erasure);
    } else {
        person_file_drop(&file);
        exit = fail(tool, done, &err);
    }
    dbk_erasure_finish(&erasure);
    return exit;
}
