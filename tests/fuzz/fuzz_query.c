/* fuzz_query.c - whatever a target and its conditions are: written with every byte
 * percent-encoded they mean the same, and lists of tags, preferences and media types do
 * not hang on the white space and the unknown ones around them.
 *
 * The input is lines: the method, the path, the query, and the values of If-Match, Prefer
 * and Content-Type.
 */
#include "etag.h"
#include "fresh.h"
#include "fuzz.h"
#include "media_type.h"
#include "params.h"
#include "routes.h"

#include <stdio.h>

#define LINES 6
#define ENCODED_MAX 42 /* a longer segment is none of ours once it is encoded */

static const char *const allowed[] = {"keyword",    "person_id", "since", "until",
                                      "properties", "limit",     "after", "order",
                                      "fields",     NULL};

/* As "%41%42", with a NUL behind it; returns its end. */
static char *encode(char *out, struct dbk_slice text)
{
    for (size_t i = 0; i < text.length; i++)
        out += sprintf(out, "%%%02x", (unsigned char)text.data[i]);
    *out = '\0';
    return out;
}

/* The path with each of its segments encoded anew; false where one of them cannot be, or
 * grows longer than is looked at. */
static bool encode_path(const char *path, char *out)
{
    while (*path == '/') {
        size_t length = strcspn(++path, "/");
        char *segment = copy_text(path, length);
        size_t decoded = length;
        bool good = length <= 128 && params_decode(segment, &decoded, false) &&
                    decoded <= ENCODED_MAX;
        *out++ = '/';
        if (good)
            out = encode(out, (struct dbk_slice){segment, decoded});
        free(segment);
        if (!good)
            return false;
        path += length;
    }
    *out = '\0';
    return *path == '\0';
}

static void require_same_route(const struct route_match *a, const struct route_match *b)
{
    require(a->route == b->route && a->options == b->options && a->head == b->head);
    require(a->wrong_method == b->wrong_method && a->sequence == b->sequence);
    require(dbk_uuid_equal(&a->id, &b->id));
    require(strcmp(a->file, b->file) == 0 && strcmp(a->allow, b->allow) == 0);
}

static void try_route(const char *method, const char *path)
{
    char *encoded = malloc(3 * strlen(path) + 1);
    struct route_match match, again;
    struct dbk_error err = {0};
    enum dbk_code code = route_find(routes, routes_count, method, path, &match, &err);

    require(encoded != NULL);
    require(code == DBK_OK || code == DBK_NOT_FOUND || code == DBK_INVALID);
    require((code == DBK_OK) == (match.route != NULL || match.options));
    require(strlen(match.allow) < sizeof match.allow);
    if (code != DBK_OK)
        require_reason(&err);
    if (encode_path(path, encoded)) {
        require(route_find(routes, routes_count, method, encoded, &again, NULL) ==
                code);
        if (code == DBK_OK || match.wrong_method)
            require_same_route(&match, &again);
    }
    free(encoded);
}

static bool is_allowed(struct dbk_slice name)
{
    for (const char *const *one = allowed; *one; one++) {
        if (dbk_slice_equal(name, dbk_slice(*one)))
            return true;
    }
    return false;
}

static void require_params(const struct params *params)
{
    require(params->count <= PARAMS_MAX);
    for (size_t i = 0; i < params->count; i++) {
        const struct param *param = &params->list[i];
        require(is_allowed(param->name));
        require(param->value.length == 0 ||
                memchr(param->value.data, '\0', param->value.length) == NULL);
        for (size_t before = 0; before < i; before++)
            require(!dbk_slice_equal(params->list[before].name, param->name) ||
                    dbk_slice_equal(param->name, dbk_slice(PARAMS_REPEATED)));
    }
}

/* The parameters again, all of them encoded, in one order. */
static void require_same_params(const struct params *params, size_t size)
{
    char *text = malloc(3 * size + 2 * PARAMS_MAX + 1), *at = text;
    struct dbk_field_errors fields = {0};
    struct params again;

    require(text != NULL);
    *at = '\0';
    for (size_t i = 0; i < params->count; i++) {
        at = encode(at, params->list[i].name);
        *at++ = '=';
        at = encode(at, params->list[i].value);
        *at++ = '&';
        *at = '\0';
    }
    require(params_parse(text, allowed, &again, &fields, NULL) == DBK_OK);
    require(again.count == params->count);
    for (size_t i = 0; i < again.count; i++) {
        require(dbk_slice_equal(again.list[i].name, params->list[i].name));
        require(dbk_slice_equal(again.list[i].value, params->list[i].value));
    }
    free(text);
}

/* Each is good and within its bounds, or named as wrong. */
static void try_values(const struct params *params)
{
    static const char *const orders[] = {"asc", "desc", NULL};
    struct dbk_field_errors fields = {0};
    struct dbk_error err = {0};
    struct dbk_slice text = {0}, types[PARAMS_REPEATED_MAX];
    struct dbk_uuid id;
    dbk_timestamp at = 0;
    uint64_t number = 7;
    size_t good = 0;

    good += params_unsigned(params, "limit", 1, 10000, &number, &fields);
    require(number >= 1 && number <= 10000);
    good += params_unsigned(params, "after", 0, INT64_MAX, &number, &fields);
    require(number <= INT64_MAX);
    good += params_uuid(params, "person_id", &id, &fields);
    good += params_timestamp(params, "since", &at, &fields);
    require(dbk_timestamp_valid(at) || fields.count > 0);
    good += params_timestamp(params, "until", &at, &fields);
    good += params_event_types(params, types, &fields);
    good += params_choice(params, "order", orders, &fields) >= 0;
    good += params_text(params, "fields", &text);
    good += params_object(params, "properties", &text, &fields);
    require(good + fields.count == params->count ||
            fields.count == DBK_FIELD_ERRORS_MAX);
    require((params_done(&fields, &err) == DBK_OK) == (fields.count == 0));
    if (fields.count > 0)
        require_reason(&err);
}

static void try_query(const char *query)
{
    size_t size = strlen(query);
    char *text = copy_text(query, size); /* it is cut in place */
    struct dbk_field_errors fields = {0};
    struct params params;
    struct dbk_error err = {0};

    if (params_parse(text, allowed, &params, &fields, &err) == DBK_OK) {
        require_params(&params);
        require_same_params(&params, size);
        try_values(&params);
    } else {
        require(fields.count > 0 && fields.count <= DBK_FIELD_ERRORS_MAX);
        require_reason(&err);
    }
    free(text);
}

/* With one more tag behind it a list is as good, and has that one too. */
static void try_if_match(const char *header)
{
    struct etag_versions versions, more;
    struct dbk_error err = {0};
    char *longer = malloc(strlen(header) + sizeof ", \"77\"");

    require(longer != NULL);
    if (etag_if_match(header, &versions, &err) != DBK_OK) {
        require_reason(&err);
    } else if (!versions.any && versions.count < ETAG_VERSIONS_MAX) {
        sprintf(longer, "%s, \"77\"", header);
        require(etag_if_match(longer, &more, NULL) == DBK_OK);
        require(more.count == versions.count + 1 && etag_matches(&more, 77, 0));
        require(etag_if_none_match(longer, "\"77\""));
        for (size_t i = 0; i < versions.count; i++)
            require(versions.list[i].version > 0 &&
                    etag_matches(&more, versions.list[i].version,
                                 versions.list[i].checksum));
    }
    free(longer);
}

/* The first wait counts. */
static void try_prefer(const char *header)
{
    struct head head = {.count = 1, .fields = {{"Prefer", header}}};
    int seconds = -1, first = -1;

    require(fresh_prefer_wait(&head, &seconds) == (seconds >= 0));
    require(seconds <= FRESH_WAIT_MAX);
    head =
        (struct head){.count = 2, .fields = {{"prefer", "wait=3"}, {"Prefer", header}}};
    require(fresh_prefer_wait(&head, &first) && first == 3);
}

/* A parameter that is no charset says nothing. */
static void try_media_type(const char *header)
{
    char *longer = malloc(strlen(header) + sizeof ";x=1");

    require(longer != NULL);
    sprintf(longer, "%s;x=1", header);
    require(media_type_parse(longer) == media_type_parse(header));
    free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = copy_text(data, size), *rest = text, *lines[LINES];

    for (size_t i = 0; i < LINES; i++) {
        char *line = rest ? strsep(&rest, "\n") : "";
        lines[i] = copy_text(line, strlen(line));
    }
    try_route(lines[0], lines[1]);
    try_query(lines[2]);
    try_if_match(lines[3]);
    try_prefer(lines[4]);
    try_media_type(lines[5]);
    for (size_t i = 0; i < LINES; i++)
        free(lines[i]);
    free(text);
    return 0;
}
