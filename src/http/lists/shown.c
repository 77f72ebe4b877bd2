#include "shown.h"

#include "prefer.h"
#include "projections/model_json.h"
#include "worker.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

struct field {
    const char *name;
    enum dbk_show show;
};

static const struct field of_events[] = {
    {"id", DBK_SHOW_ID},
    {"datetime_created", DBK_SHOW_DATETIME_CREATED},
    {"event_type", DBK_SHOW_EVENT_TYPE},
    {"person_id", DBK_SHOW_PERSON_ID},
    {"anonymous_id", DBK_SHOW_ANONYMOUS_ID},
    {"properties", DBK_SHOW_PROPERTIES},
    {"received", DBK_SHOW_RECEIVED},
    {NULL, 0},
};

static const struct field of_persons[] = {
    {"id", DBK_SHOW_ID},
    {"datetime_created", DBK_SHOW_DATETIME_CREATED},
    {"datetime_modified", DBK_SHOW_DATETIME_MODIFIED},
    {"email", DBK_SHOW_EMAIL},
    {"events", DBK_SHOW_EVENTS},
    {"first_name", DBK_SHOW_FIRST_NAME},
    {"last_name", DBK_SHOW_LAST_NAME},
    {"role", DBK_SHOW_ROLE},
    {"external_id", DBK_SHOW_EXTERNAL_ID},
    {"properties", DBK_SHOW_PROPERTIES},
    {NULL, 0},
};

static void refuse(struct request *rq, const struct field *fields)
{
    char names[sizeof rq->fields.list->message] = "";

    for (const struct field *one = fields; one->name; one++)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s",
                 one == fields ? "" : ", ", one->name);
    params_wrong(&rq->fields, dbk_slice("fields"), "there are %s", names);
}

static unsigned look_up(const struct field *fields, struct dbk_slice name)
{
    for (; fields->name; fields++) {
        if (dbk_slice_equal(dbk_slice(fields->name), name))
            return fields->show;
    }
    return 0;
}

/* Names with commas between them; none of them strange, and at least one. */
static unsigned read_fields(struct request *rq, const struct field *fields)
{
    struct dbk_slice rest, name;
    unsigned shown = 0, one;
    const char *comma;

    if (!params_text(&rq->params, "fields", &rest))
        return 0;
    do {
        comma = memchr(rest.data, ',', rest.length);
        name.data = rest.data;
        name.length = comma ? (size_t)(comma - rest.data) : rest.length;
        one = look_up(fields, name);
        if (!one) {
            refuse(rq, fields);
            return 0;
        }
        shown |= one;
        rest.data += name.length + 1;
        rest.length -= comma ? name.length + 1 : name.length;
    } while (comma);
    return shown;
}

static bool is_of_events(const struct request *rq)
{
    static const char path[] = "/events";

    return strncmp(rq->match.route->path, path, strlen(path)) == 0;
}

static unsigned read_shown(struct request *rq)
{
    static const char *const included[] = {"received", NULL};
    unsigned shown = read_fields(rq, is_of_events(rq) ? of_events : of_persons);

    if (params_choice(&rq->params, "include", included, &rq->fields) < 0)
        return shown;
    return (shown ? shown : DBK_SHOW_USUAL) | DBK_SHOW_RECEIVED;
}

static bool asked_by_header(const struct request *rq)
{
    static const char wanted[] = "rfc3339";
    struct dbk_slice value;

    return prefer_find(rq->head, "timestamps", &value) &&
           value.length == sizeof wanted - 1 &&
           strncasecmp(value.data, wanted, value.length) == 0;
}

static bool has_parameter(const struct request *rq)
{
    for (const char *const *one = rq->match.route->params; *one; one++) {
        if (strcmp(*one, "timestamps") == 0)
            return true;
    }
    return false;
}

void shown_read(struct request *rq, struct response *rs)
{
    static const char *const forms[] = {"rfc3339", NULL};
    bool asked, preferred = false;

    asked = params_choice(&rq->params, "timestamps", forms, &rq->fields) >= 0;
    if (!asked && has_parameter(rq))
        preferred = asked_by_header(rq);
    if (preferred) {
        response_header_text(rs, "Preference-Applied", "timestamps=rfc3339");
        response_header_text(rs, "Vary", "Prefer");
    }
    rq->worker->rows.shown = read_shown(rq);
    rs->body.zone = rq->worker->rows.json.zone = asked || preferred;
}
