#include "export_select.h"

#include "store/command.h"
#include "suggest.h"

#include <stdio.h>
#include <string.h>

/* Their names: "a, b or c". */
static void list_types(char *out, size_t size)
{
    size_t used = 0;

    for (enum dbk_type type = 1; type < DBK_TYPE_COUNT && used < size; type++) {
        const char *before = type == DBK_TYPE_COUNT - 1 ? " or " : ", ";
        used += (size_t)snprintf(out + used, size - used, "%s%s",
                                 type == 1 ? "" : before, dbk_type_name(type));
    }
}

static enum dbk_code read_type(const char *text, enum dbk_type *out,
                               struct dbk_error *err)
{
    struct suggestion near = {0};
    char names[256];

    if (dbk_type_parse(text, strlen(text), out))
        return DBK_OK;
    for (enum dbk_type type = 1; type < DBK_TYPE_COUNT; type++)
        suggest(&near, text, strlen(text), dbk_type_name(type));
    if (near.best)
        return dbk_fail(err, DBK_INVALID, "--type is \"%.64s\"; did you mean %s?", text,
                        near.best);
    list_types(names, sizeof names);
    return dbk_fail(err, DBK_INVALID, "--type is \"%.64s\": expected %s", text, names);
}

enum dbk_code export_select_read(const struct tool *tool, struct export_select *select,
                                 struct dbk_error *err)
{
    const char *from = tool_value(tool, "--from"), *to = tool_value(tool, "--to");
    const char *type = tool_value(tool, "--type");
    const char *person = tool_value(tool, "--person");

    *select = (struct export_select){.whole = !from && !to && !type && !person};
    if (position_range_parse(from, to, &select->range, err) != DBK_OK)
        return err->code;
    if (tool_has(tool, "--follow") && select->range.to.is_time)
        return dbk_fail(err, DBK_INVALID, "--follow goes on to a sequence, not a time");
    if (type && read_type(type, &select->type, err) != DBK_OK)
        return err->code;
    select->has_person = person != NULL;
    if (person && !dbk_uuid_parse(person, strlen(person), &select->person))
        return dbk_fail(err, DBK_INVALID, "--person is \"%.64s\": expected a UUID",
                        person);
    return DBK_OK;
}

/* Who asks for a person by a mistyped id must not take an empty file for an answer. */
static enum dbk_code find_person(const struct export_select *select,
                                 struct dbk_log *log, struct dbk_error *err)
{
    char id[DBK_UUID_TEXT + 1];
    struct dbk_person_state person;
    enum dbk_code code;

    if (!select->has_person)
        return DBK_OK;
    code = dbk_log_person(log, &select->person, &person, err);
    dbk_uuid_format(&select->person, id);
    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, code, "--person: no record is about %s", id);
    return code;
}

void export_select_finish(struct export_select *select)
{
    dbk_person_records_finish(&select->records);
}

enum dbk_code export_select_resolve(struct dbk_log *log, bool follow,
                                    struct export_select *select, struct dbk_error *err)
{
    if (position_range_find(&select->range, log, follow, &select->from, &select->to,
                            err) != DBK_OK)
        return err->code;
    if (find_person(select, log, err) != DBK_OK)
        return err->code;
    return dbk_person_records_init(&select->records, log, &select->person, err);
}

struct export_source export_select_source(const struct export_select *select,
                                          struct dbk_log *log)
{
    return (struct export_source){
        .whole = select->whole,
        .store_id = dbk_log_store_id(log),
        .from = select->from,
        .to = select->to,
        .type = select->type,
        .has_person = select->has_person,
        .person = select->person,
        .exported_at = dbk_timestamp_now(),
    };
}

bool export_selects(const struct export_select *select, const struct dbk_record *record)
{
    if (select->type && record->type != select->type)
        return false;
    if (!select->has_person)
        return true;
    return select->records.log
               ? dbk_person_records_has(&select->records, record)
               : dbk_uuid_equal(dbk_record_person(record), &select->person);
}
