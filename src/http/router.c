#include "router.h"

#include "params.h"

#include <stdio.h>
#include <string.h>

#define SEGMENT_MAX 128 /* bytes; none of ours is longer */

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

enum fit { FITS, FITS_NOT, FITS_BUT_UNREADABLE };

static enum fit readable(bool good)
{
    return good ? FITS : FITS_BUT_UNREADABLE;
}

/* Whether a decoded segment of the request is this segment of a pattern. */
static enum fit segment_fits(struct dbk_slice pattern, const char *segment,
                             struct route_match *match)
{
    if (dbk_slice_equal(pattern, dbk_slice("{id}")))
        return readable(dbk_uuid_parse(segment, strlen(segment), &match->id));
    if (dbk_slice_equal(pattern, dbk_slice("{sequence}")))
        return readable(take_sequence(segment, &match->sequence));
    if (dbk_slice_equal(pattern, dbk_slice("{file}")))
        return readable(take_file(segment, match->file));
    return dbk_slice_equal(pattern, dbk_slice(segment)) ? FITS : FITS_NOT;
}

/* Cut the next segment off *path and decode it. Slashes that are encoded stay in their
 * segment. DBK_NOT_FOUND for one longer than any of ours. */
static enum dbk_code next_segment(const char **path, char segment[SEGMENT_MAX + 1],
                                  struct dbk_error *err)
{
    size_t length = strcspn(*path, "/");

    if (length > SEGMENT_MAX)
        return dbk_fail(err, DBK_NOT_FOUND, "There is nothing at this path");
    memcpy(segment, *path, length);
    *path += length;
    if (!params_decode(segment, &length, false))
        return dbk_fail(err, DBK_INVALID,
                        "The path has a %% without two hex digits, or %%00");
    segment[length] = '\0';
    return DBK_OK;
}

static enum dbk_code path_fits(const char *pattern, const char *path, enum fit *fits,
                               struct route_match *match, struct dbk_error *err)
{
    char segment[SEGMENT_MAX + 1];
    enum fit all = FITS;

    *fits = FITS_NOT;
    while (*pattern == '/' && *path == '/') {
        size_t length = strcspn(++pattern, "/");
        path++;
        if (next_segment(&path, segment, err) != DBK_OK)
            return err->code;
        switch (segment_fits((struct dbk_slice){pattern, length}, segment, match)) {
        case FITS:
            break;
        case FITS_NOT:
            return DBK_OK;
        case FITS_BUT_UNREADABLE:
            all = FITS_BUT_UNREADABLE;
        }
        pattern += length;
    }
    if (*pattern == '\0' && *path == '\0')
        *fits = all;
    return DBK_OK;
}

static void add_allowed(struct route_match *match, const char *method)
{
    char *end = match->allow + strlen(match->allow);
    size_t left = sizeof match->allow - strlen(match->allow);

    snprintf(end, left, "%s%s", method, strcmp(method, "GET") == 0 ? ", HEAD, " : ", ");
}

enum dbk_code route_find(const char *method, const char *path,
                         struct route_match *match, struct dbk_error *err)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    enum fit fits;
    bool unreadable = false;

    memset(match, 0, sizeof *match);
    match->head = wanted != method;
    for (size_t i = 0; i < routes_count; i++) {
        if (path_fits(routes[i].path, path, &fits, match, err) != DBK_OK)
            return err->code;
        unreadable = unreadable || fits == FITS_BUT_UNREADABLE;
        if (fits != FITS)
            continue;
        add_allowed(match, routes[i].method);
        if (strcmp(routes[i].method, wanted) == 0 && !match->route)
            match->route = &routes[i];
    }
    if (match->allow[0] == '\0' && unreadable)
        return dbk_fail(err, DBK_INVALID,
                        "The end of the path is not an id (a UUID of 8-4-4-4-12 hex "
                        "digits), or not a sequence (a number from 1)");
    if (match->allow[0] == '\0')
        return dbk_fail(err, DBK_NOT_FOUND,
                        "There is nothing at this path; GET / says "
                        "where to go");
    strcat(match->allow, "OPTIONS");
    match->options = strcmp(method, "OPTIONS") == 0;
    match->wrong_method = !match->options && !match->route;
    if (match->wrong_method)
        return dbk_fail(err, DBK_NOT_FOUND, "This path does not take %s; it takes %s",
                        method, match->allow);
    return DBK_OK;
}
