#include "router.h"

#include "http/tokens.h"
#include "params.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define SEGMENT_MAX 128 /* bytes; of ours only a text is longer */
#define SEGMENTS_MAX 6  /* none of ours has more */

static bool take_sequence(const char *text, uint64_t *out)
{
    size_t length = strlen(text);

    *out = 0;
    if (length == 0 || length > 19 || text[0] == '0')
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        *out = *out * 10 + (uint64_t)(*text - '0');
    }
    return true;
}

static bool take_file(const char *text, char out[ROUTE_FILE_MAX])
{
    size_t length = strlen(text);

    if (length == 0 || length >= ROUTE_FILE_MAX)
        return false;
    memcpy(out, text, length + 1);
    return true;
}

/* A segment of the request, decoded. Slashes that are encoded stay in it. */
struct segment {
    struct dbk_slice raw; /* as it came */
    enum dbk_code code;   /* DBK_NOT_FOUND: longer than SEGMENT_MAX; DBK_INVALID */
    size_t length;
    char text[SEGMENT_MAX + 1];
};

struct path {
    size_t count; /* those behind the last that is kept are counted only */
    struct segment segments[SEGMENTS_MAX];
};

enum fit { FITS, FITS_NOT, FITS_BUT_UNREADABLE };

static enum fit readable(bool good)
{
    return good ? FITS : FITS_BUT_UNREADABLE;
}

/* A text is decoded where it is used. Whether it can be: what is kept of a longer segment
 * does not tell. */
static enum dbk_code check_encoding(struct dbk_slice raw)
{
    char escape[4] = "";
    size_t length;

    for (size_t i = 0; i < raw.length; i++) {
        if (raw.data[i] != '%')
            continue;
        length = raw.length - i < 3 ? raw.length - i : 3;
        memcpy(escape, raw.data + i, length);
        if (!params_decode(escape, &length, false))
            return DBK_INVALID;
    }
    return DBK_OK;
}

/* Where a segment goes that is a text; NULL: it is none. */
static struct dbk_slice *text_of(struct dbk_slice pattern, struct route_match *match)
{
    if (dbk_slice_equal(pattern, dbk_slice("{value}")))
        return &match->value;
    if (dbk_slice_equal(pattern, dbk_slice("{anonymous_id}")))
        return &match->anonymous_id;
    if (dbk_slice_equal(pattern, dbk_slice("{name}")))
        return &match->name;
    return NULL;
}

/* Whether a decoded segment of the request is this segment of a pattern. */
static enum fit segment_fits(struct dbk_slice pattern, const struct segment *segment,
                             struct route_match *match)
{
    if (pattern.length == 0 || *pattern.data != '{')
        return dbk_slice_equal(pattern, dbk_slice(segment->text)) ? FITS : FITS_NOT;
    if (dbk_slice_equal(pattern, dbk_slice("{id}")))
        return readable(dbk_uuid_parse(segment->text, segment->length, &match->id));
    if (dbk_slice_equal(pattern, dbk_slice("{sequence}")))
        return readable(take_sequence(segment->text, &match->sequence));
    if (text_of(pattern, match))
        return segment->raw.length > 0 ? FITS : FITS_NOT;
    return readable(take_file(segment->text, match->file));
}

static size_t segment_length(const char *at)
{
    return (size_t)(strchrnul(at, '/') - at);
}

static void take_segment(const char *text, size_t length, struct segment *out)
{
    out->raw = (struct dbk_slice){text, length};
    out->code = length > SEGMENT_MAX ? DBK_NOT_FOUND : DBK_OK;
    if (out->code != DBK_OK)
        return;
    memcpy(out->text, text, length);
    if (!params_decode(out->text, &length, false))
        out->code = DBK_INVALID;
    out->text[length] = '\0';
    out->length = length;
}

/* Once, for all routes. What is wrong with a segment is told where a route has one at
 * its place. */
static void cut_path(const char *text, struct path *out)
{
    out->count = 0;
    while (*text == '/') {
        size_t length = segment_length(++text);
        if (out->count < SEGMENTS_MAX)
            take_segment(text, length, &out->segments[out->count]);
        out->count++;
        text += length;
    }
}

static enum dbk_code refuse_segment(enum dbk_code code, struct dbk_error *err)
{
    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, code, "There is nothing at this path");
    return dbk_fail(err, code, "The path has a %% without two hex digits, or %%00");
}

/* Of a tile's path one form alone is right, which its handler knows: no segment is read. */
static bool is_raw(struct dbk_slice pattern)
{
    return dbk_slice_equal(pattern, dbk_slice("{level}")) ||
           dbk_slice_equal(pattern, dbk_slice("{index}.p")) ||
           dbk_slice_equal(pattern, dbk_slice("{index}")) ||
           dbk_slice_equal(pattern, dbk_slice("{width}"));
}

static bool raw_fits(struct dbk_slice pattern, struct dbk_slice raw)
{
    static const char part[] = ".p";
    size_t end = sizeof part - 1;

    return pattern.data[pattern.length - 1] == '}' ||
           (raw.length > end && memcmp(raw.data + raw.length - end, part, end) == 0);
}

static enum dbk_code path_fits(const char *pattern, const struct path *path,
                               enum fit *fits, struct route_match *match,
                               struct dbk_error *err)
{
    enum fit all = FITS;
    size_t i = 0;

    *fits = FITS_NOT;
    for (; *pattern == '/' && i < path->count; i++) {
        const struct segment *segment = &path->segments[i];
        assert(i < SEGMENTS_MAX); /* no pattern has more */
        struct dbk_slice part = {pattern + 1, segment_length(pattern + 1)};
        struct dbk_slice *text = text_of(part, match);
        enum dbk_code code = segment->code;
        if (is_raw(part)) {
            if (!raw_fits(part, segment->raw))
                return DBK_OK;
            pattern += 1 + part.length;
            if (*pattern == '\0') /* the last stands for all that follows */
                i = path->count - 1;
            continue;
        }
        if (text) { /* no log shows it, also where it cannot be read */
            *text = segment->raw;
            code = check_encoding(segment->raw);
        }
        if (code != DBK_OK)
            return refuse_segment(code, err);
        switch (segment_fits(part, segment, match)) {
        case FITS:
            break;
        case FITS_NOT:
            return DBK_OK;
        case FITS_BUT_UNREADABLE:
            all = FITS_BUT_UNREADABLE;
        }
        pattern += 1 + part.length;
    }
    if (*pattern == '\0' && i == path->count)
        *fits = all;
    return DBK_OK;
}

static void add_allowed(struct route_match *match, const char *method)
{
    size_t used = strlen(match->allow);
    bool get = strcmp(method, "GET") == 0;

    /* Of another route that fits. No method's name is in another's. */
    if (strstr(match->allow, method))
        return;
    assert(used + strlen(method) + sizeof ", HEAD, " < sizeof match->allow);
    snprintf(match->allow + used, sizeof match->allow - used, "%s%s", method,
             get ? ", HEAD, " : ", ");
}

/* What an answer says that the path takes. No segment is wrong: it has been found. */
static void list_allowed(const struct route *routes, size_t count,
                         const struct path *path, struct route_match *match)
{
    struct route_match scratch;
    enum fit fits;

    for (size_t i = 0; i < count; i++) {
        if (path_fits(routes[i].path, path, &fits, &scratch, NULL) != DBK_OK ||
            fits != FITS)
            continue;
        add_allowed(match, routes[i].method);
        match->ingests = match->ingests || (routes[i].scope & DBK_SCOPE_INGEST);
    }
    assert(strlen(match->allow) + sizeof "OPTIONS" <= sizeof match->allow);
    strcat(match->allow, "OPTIONS");
}

enum dbk_code route_find(const struct route *routes, size_t count, const char *method,
                         const char *path, struct route_match *match,
                         struct dbk_error *err)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    bool known = false, unreadable = false;
    struct path cut;
    enum fit fits;

    memset(match, 0, sizeof *match);
    match->head = wanted != method;
    cut_path(path, &cut);
    for (size_t i = 0; i < count; i++) {
        if (path_fits(routes[i].path, &cut, &fits, match, err) != DBK_OK)
            return err->code;
        unreadable = unreadable || fits == FITS_BUT_UNREADABLE;
        known = known || fits == FITS;
        if (fits == FITS && strcmp(routes[i].method, wanted) == 0) {
            match->route = &routes[i];
            return DBK_OK;
        }
    }
    if (!known && unreadable)
        return dbk_fail(err, DBK_INVALID,
                        "The end of the path is not an id (a UUID of 8-4-4-4-12 hex "
                        "digits), or not a sequence (a number from 1)");
    if (!known)
        return dbk_fail(err, DBK_NOT_FOUND,
                        "There is nothing at this path; GET / says "
                        "where to go");
    list_allowed(routes, count, &cut, match);
    match->options = strcmp(method, "OPTIONS") == 0;
    if (match->options)
        return DBK_OK;
    match->wrong_method = true;
    return dbk_fail(err, DBK_NOT_FOUND, "This path does not take %s; it takes %s",
                    method, match->allow);
}

bool route_text(struct dbk_slice text, char *out, size_t size, size_t *length)
{
    char raw[3 * ROUTE_TEXT_MAX];

    *length = text.length;
    if (*length > sizeof raw)
        return false;
    memcpy(raw, text.data, *length);
    if (!params_decode(raw, length, false) || *length > ROUTE_TEXT_MAX ||
        *length >= size)
        return false;
    memcpy(out, raw, *length);
    out[*length] = '\0';
    return true;
}
