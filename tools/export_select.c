#include "export_select.h"

#include "about.h"
#include "position.h"
#include "suggest.h"

#include <string.h>

static enum dbk_code read_type(const char *text, enum dbk_type *type,
                               struct dbk_error *err)
{
    struct suggestion near = {0};

    for (*type = DBK_PERSON_CREATED; *type <= DBK_EVENT_DELETED; (*type)++) {
        if (!strcmp(text, dbk_type_name(*type)))
            return DBK_OK;
        suggest(&near, text, strlen(text), dbk_type_name(*type));
    }
    if (near.best)
        return dbk_fail(err, DBK_INVALID, "--type is \"%.64s\"; did you mean %s?", text,
                        near.best);
    return dbk_fail(err, DBK_INVALID,
                    "--type is \"%.64s\": expected person.created, person.updated, "
                    "person.deleted, event.recorded or event.deleted",
                    text);
}

/* Only whether they are well-formed; without the log times cannot be compared. */
static enum dbk_code check_positions(const char *from_text, const char *to_text,
                                     bool follow, struct dbk_error *err)
{
    struct position from = {0}, to = {0};

    if (from_text && position_parse(from_text, &from, err) != DBK_OK)
        return dbk_wrap(err, "--from");
    if (to_text && position_parse(to_text, &to, err) != DBK_OK)
        return dbk_wrap(err, "--to");
    if (from_text && to_text && from.is_time == to.is_time &&
        (from.sequence > to.sequence || from.time > to.time))
        return dbk_fail(err, DBK_INVALID, "--from is behind --to");
    if (follow && to.is_time)
        return dbk_fail(err, DBK_INVALID, "--follow goes on to a sequence, not a time");
    return DBK_OK;
}

enum dbk_code export_select_read(const struct tool *tool, struct export_select *select,
                                 struct dbk_error *err)
{
    const char *from = tool_value(tool, "--from"), *to = tool_value(tool, "--to");
    const char *type = tool_value(tool, "--type");
    const char *person = tool_value(tool, "--person");

    *select = (struct export_select){.whole = !from && !to && !type && !person};
    if (check_positions(from, to, tool_has(tool, "--follow"), err) != DBK_OK)
        return err->code;
    if (type && read_type(type, &select->type, err) != DBK_OK)
        return err->code;
    select->has_person = person != NULL;
    if (person && !dbk_uuid_parse(person, strlen(person), &select->person))
        return dbk_fail(err, DBK_INVALID, "--person is \"%.64s\": expected a UUID",
                        person);
    return DBK_OK;
}

enum dbk_code export_select_resolve(const struct tool *tool, struct dbk_log *log,
                                    bool follow, struct export_select *select,
                                    struct dbk_error *err)
{
    const char *from = tool_value(tool, "--from"), *to = tool_value(tool, "--to");
    struct position position;
    uint64_t head;

    if (dbk_log_head(log, &head, err) != DBK_OK)
        return err->code;
    select->from = 1;
    select->to = follow ? UINT64_MAX : head;
    if (from && (position_parse(from, &position, err) != DBK_OK ||
                 position_from(&position, log, head, &select->from, err) != DBK_OK))
        return err->code;
    if (to && (position_parse(to, &position, err) != DBK_OK ||
               position_to(&position, log, head, &select->to, err) != DBK_OK))
        return err->code;
    if (!follow && select->to > head)
        select->to = head;
    return DBK_OK;
}

bool export_selects(const struct export_select *select, const struct dbk_record *record)
{
    if (select->type && record->type != select->type)
        return false;
    return !select->has_person || dbk_uuid_equal(about_whom(record), &select->person);
}
