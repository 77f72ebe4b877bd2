#include "member.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void write_text(struct dbk_render *out, const char *key, const char *value)
{
    dbk_render_text(out, out->length == 0 ? "{" : ",");
    dbk_render_string(out, dbk_slice(key));
    dbk_render_text(out, ":");
    dbk_render_string(out, dbk_slice(value));
}

static void write_number(struct dbk_render *out, const char *key, uint64_t value)
{
    dbk_render_text(out, ",");
    dbk_render_string(out, dbk_slice(key));
    dbk_render_text(out, ":");
    dbk_render_number(out, value);
}

void member_write(const struct dbk_replica_member *member, struct dbk_render *out)
{
    char at[DBK_TIMESTAMP_TEXT + 1];

    dbk_timestamp_format(member->at, at);
    write_text(out, "node", member->node);
    write_text(out, "url", member->url);
    write_text(out, "role", member->role);
    write_text(out, "state", member->state);
    write_text(out, "version", member->version);
    write_number(out, "head", member->head);
    write_number(out, "projected", member->projected);
    if (member->master_key[0])
        write_text(out, "master_key", member->master_key);
    if (member->retention_days >= 0)
        write_number(out, "retention_days", (uint64_t)member->retention_days);
    write_text(out, "at", at);
    dbk_render_text(out, "}");
}

/* Behind "key": where that stands; none of the values can have it inside, for a quote in them
 * has a backslash before. */
static struct dbk_slice behind(struct dbk_slice json, const char *key)
{
    char quoted[32];
    int length = snprintf(quoted, sizeof quoted, "\"%s\":", key);
    const char *at = memmem(json.data, json.length, quoted, (size_t)length);

    if (!at)
        return (struct dbk_slice){NULL, 0};
    at += length;
    return (struct dbk_slice){at, (size_t)(json.data + json.length - at)};
}

/* Names, URLs, words: what needs escaping in JSON is in none. */
static bool read_text(struct dbk_slice json, const char *key, char *out, size_t size)
{
    struct dbk_slice value = behind(json, key);
    const char *end;

    if (value.length < 2 || value.data[0] != '"')
        return false;
    end = memchr(value.data + 1, '"', value.length - 1);
    if (!end || (size_t)(end - value.data) > size)
        return false;
    memcpy(out, value.data + 1, (size_t)(end - value.data) - 1);
    out[end - value.data - 1] = '\0';
    return true;
}

static bool read_number(struct dbk_slice json, const char *key, uint64_t *out)
{
    struct dbk_slice value = behind(json, key);
    size_t i = 0;

    *out = 0;
    for (; i < value.length && i < 20 && value.data[i] >= '0' && value.data[i] <= '9';
         i++)
        *out = *out * 10 + (uint64_t)(value.data[i] - '0');
    return i > 0;
}

bool member_read(struct dbk_slice json, struct dbk_replica_member *out)
{
    char at[DBK_TIMESTAMP_TEXT + 1];
    uint64_t days;

    *out = (struct dbk_replica_member){.next = -1};
    if (json.length == 0)
        return false;
    if (!read_text(json, "master_key", out->master_key, sizeof out->master_key))
        out->master_key[0] = '\0'; /* not sealed, or of a version before */
    out->retention_days =
        read_number(json, "retention_days", &days) ? (int64_t)days : -1;
    return read_text(json, "node", out->node, sizeof out->node) &&
           read_text(json, "url", out->url, sizeof out->url) &&
           read_text(json, "role", out->role, sizeof out->role) &&
           read_text(json, "state", out->state, sizeof out->state) &&
           read_text(json, "version", out->version, sizeof out->version) &&
           read_number(json, "head", &out->head) &&
           read_number(json, "projected", &out->projected) &&
           read_text(json, "at", at, sizeof at) &&
           dbk_timestamp_parse(at, strlen(at), &out->at);
}
