/* daybook person restrict, person unrestrict: whether what is held of a person is shown. */
#include "log_place.h"
#include "person_parts.h"
#include "store/command.h"

#include <inttypes.h>

static enum dbk_code submit(struct dbk_log *log, const struct dbk_record *draft,
                            struct dbk_verdict *verdict, struct dbk_error *err)
{
    struct dbk_command *command = dbk_command_create();
    enum dbk_code code = DBK_NO_MEMORY;

    if (!command)
        return dbk_fail(err, code, "no memory for a record");
    code = dbk_command_add(command, draft, err);
    if (code == DBK_OK)
        code = dbk_log_submit(log, &command, 1, NULL, NULL, err);
    if (code == DBK_OK)
        *verdict = *dbk_command_verdict(command);
    dbk_command_destroy(command);
    return code;
}

static enum dbk_code write_record(const struct tool *tool,
                                  const struct dbk_record *draft, const char *method,
                                  struct dbk_verdict *verdict, struct dbk_error *err)
{
    char instead[80];
    struct dbk_log *log;
    enum dbk_code code;

    snprintf(instead, sizeof instead, "ask its leader: %s /persons/{id}/restriction",
             method);
    if (log_place_open(tool, false, NULL, &log, err) != DBK_OK)
        return err->code;
    code = log_place_check_alone(log, instead, err);
    if (code == DBK_OK)
        code = submit(log, draft, verdict, err);
    dbk_log_close(log);
    return code;
}

static enum tool_exit say(const struct tool *tool, enum dbk_type type,
                          const char *method, const char *done, const char *known)
{
    struct dbk_record draft = {.type = type, .source = dbk_slice("person")};
    struct dbk_verdict verdict;
    struct dbk_error err;
    enum tool_exit exit = person_operand(tool, &draft.subject);

    if (exit != TOOL_DONE)
        return exit;
    if (write_record(tool, &draft, method, &verdict, &err) != DBK_OK)
        return tool_fail(tool, &err);
    if (verdict.code != DBK_OK && verdict.code != DBK_EXISTS)
        return tool_fail(tool, &verdict.error);
    printf("%s (record %" PRIu64 ")\n", verdict.code == DBK_OK ? done : known,
           verdict.sequence);
    return TOOL_DONE;
}

enum tool_exit person_restrict(const struct tool *tool)
{
    return say(tool, DBK_PERSON_RESTRICTED, "POST",
               "restricted: what is held is kept, and shown to admins only",
               "was restricted already");
}

enum tool_exit person_unrestrict(const struct tool *tool)
{
    return say(tool, DBK_PERSON_UNRESTRICTED, "DELETE", "shown again", "");
}
