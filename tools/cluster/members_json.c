#include "members_json.h"

static void text(const char *key, const char *value, struct dbk_render *out)
{
    dbk_render_text(out, key);
    if (*value)
        dbk_render_string(out, dbk_slice(value));
    else
        dbk_render_text(out, "null");
}

static void number(const char *key, int64_t value, struct dbk_render *out)
{
    dbk_render_text(out, key);
    if (value >= 0)
        dbk_render_number(out, (uint64_t)value);
    else
        dbk_render_text(out, "null");
}

static void member(const struct dbk_replica_member *one, int64_t end,
                   struct dbk_render *out)
{
    char at[DBK_TIMESTAMP_TEXT + 1];
    int64_t lag = end - one->next;

    dbk_timestamp_format(one->at, at);
    text("{\"node\":", one->node, out);
    text(",\"url\":", one->url, out);
    text(",\"role\":", one->role, out);
    text(",\"state\":", one->state, out);
    text(",\"version\":", one->version, out);
    number(",\"next\":", one->next, out);
    number(",\"lag\":", end < 0 || one->next < 0 ? -1 : lag > 0 ? lag : 0, out);
    number(",\"head\":", (int64_t)one->head, out);
    number(",\"projected\":", (int64_t)one->projected, out);
    text(",\"master_key\":", one->master_key, out);
    number(",\"retention_days\":", one->retention_days, out);
    text(",\"at\":", at, out);
    dbk_render_text(out, "}");
}

void members_json(const struct dbk_replica_members *members, struct dbk_render *out)
{
    dbk_render_text(out, "[");
    for (size_t i = 0; i < members->count; i++) {
        if (i > 0)
            dbk_render_text(out, ",");
        member(&members->list[i], members->end, out);
    }
    dbk_render_text(out, "]");
}
