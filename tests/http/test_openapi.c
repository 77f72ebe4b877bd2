/* The document, the Postman collection and the route table say the same. */
#include "check.h"

#include "http/tokens.h"
#include "routes.h"

#include <jansson.h>

static json_t *load(const char *path)
{
    json_error_t why;
    json_t *document = json_load_file(path, JSON_REJECT_DUPLICATES, &why);

    if (!document)
        fail_msg("%s: line %d: %s", path, why.line, why.text);
    return document;
}

static json_t *document;

static int open_document(void **state)
{
    (void)state;
    document = load(SOURCE_DIR "/src/http/openapi.json");
    return 0;
}

static int close_document(void **state)
{
    (void)state;
    json_decref(document);
    return 0;
}

static void lower(const char *method, char out[16])
{
    size_t i = 0;

    for (; method[i]; i++)
        out[i] = (char)(method[i] + ('a' - 'A'));
    out[i] = '\0';
}

static json_t *operation_of(const struct route *route)
{
    json_t *paths = json_object_get(document, "paths");
    char method[16];

    lower(route->method, method);
    return json_object_get(json_object_get(paths, route->path), method);
}

static void every_route_is_described(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count; i++) {
        if (!operation_of(&routes[i]))
            fail_msg("%s %s is not described", routes[i].method, routes[i].path);
    }
}

static void everything_described_is_a_route(void **state)
{
    const char *path, *method;
    json_t *item, *operation;
    size_t described = 0;

    (void)state;
    json_object_foreach(json_object_get(document, "paths"), path, item)
    {
        json_object_foreach(item, method, operation) described++;
    }
    assert_int_equal(described, routes_count);
}

/* A parameter of an operation: the component its $ref names. */
static json_t *component(json_t *parameter)
{
    const char *ref = json_string_value(json_object_get(parameter, "$ref"));
    json_t *components = json_object_get(document, "components");

    assert_non_null(ref);
    assert_memory_equal(ref, "#/components/parameters/", 24);
    return json_object_get(json_object_get(components, "parameters"), ref + 24);
}

static bool route_has(const struct route *route, const char *name)
{
    for (const char *const *one = route->params; *one; one++) {
        if (strcmp(*one, name) == 0)
            return true;
    }
    return false;
}

static size_t count_params(const struct route *route)
{
    size_t count = 0;

    while (route->params[count])
        count++;
    return route_has(route, "key") ? count - 1
                                   : count; /* it is a way to bring a token */
}

static void the_query_parameters_are_the_routes(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count; i++) {
        json_t *list = json_object_get(operation_of(&routes[i]), "parameters"), *one;
        size_t index, described = 0;
        json_array_foreach(list, index, one)
        {
            json_t *parameter = component(one);
            const char *name = json_string_value(json_object_get(parameter, "name"));
            if (strcmp(json_string_value(json_object_get(parameter, "in")), "query") !=
                0)
                continue;
            described++;
            if (!route_has(&routes[i], name))
                fail_msg("%s %s has no parameter %s", routes[i].method, routes[i].path,
                         name);
        }
        if (described != count_params(&routes[i]))
            fail_msg("%s %s: parameters are missing", routes[i].method, routes[i].path);
    }
}

static void bodies_are_described_as_the_routes_take_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count; i++) {
        json_t *body = json_object_get(operation_of(&routes[i]), "requestBody");
        json_t *content = json_object_get(body, "content");
        enum body_kind kind = routes[i].body;
        assert_int_equal(body != NULL, kind != BODY_NONE);
        if (!body)
            continue;
        assert_int_equal(json_is_true(json_object_get(body, "required")),
                         kind != BODY_OPTIONAL);
        assert_non_null(json_object_get(content, "application/json"));
        assert_int_equal(json_object_get(content, "application/x-ndjson") != NULL,
                         kind == BODY_BATCH);
        assert_int_equal(json_object_get(content, "text/plain") != NULL,
                         kind == BODY_BATCH);
        assert_int_equal(json_object_get(content, "application/merge-patch+json") !=
                             NULL,
                         kind == BODY_PATCH);
    }
}

/* The one scheme with each of the scopes, of which any will do. */
static json_t *tokens_with(unsigned scopes)
{
    json_t *all = json_array();

    for (unsigned scope = 1; scope <= scopes; scope <<= 1) {
        char name[DBK_SCOPES_TEXT];
        if (!(scopes & scope))
            continue;
        dbk_scopes_format(scope, name);
        json_array_append_new(all, json_pack("{s:[s]}", "token", name));
    }
    return all;
}

/* What security must be: none for the public, else the scheme with the scope. */
static void scopes_are_described_as_the_routes_ask_for_them(void **state)
{
    static const char *const refusals[] = {"401", "403", "429"};
    json_t *scheme = json_object_get(
        json_object_get(json_object_get(document, "components"), "securitySchemes"),
        "token");

    (void)state;
    assert_string_equal(json_string_value(json_object_get(scheme, "type")), "http");
    assert_string_equal(json_string_value(json_object_get(scheme, "scheme")), "bearer");
    scheme = json_object_get(
        json_object_get(json_object_get(document, "components"), "securitySchemes"),
        "key");
    assert_string_equal(json_string_value(json_object_get(scheme, "type")), "apiKey");
    assert_string_equal(json_string_value(json_object_get(scheme, "in")), "query");
    assert_string_equal(json_string_value(json_object_get(scheme, "name")), "key");
    for (size_t i = 0; i < routes_count; i++) {
        json_t *operation = operation_of(&routes[i]);
        json_t *security = json_object_get(operation, "security"), *expected;
        char scope[DBK_SCOPES_TEXT];
        dbk_scopes_format(routes[i].scope, scope);
        if (routes[i].scope & DBK_SCOPE_INGEST)
            expected = json_pack("[{s:[s]},{s:[s]},{s:[s]}]", "token", "write", "token",
                                 "ingest", "key", "ingest");
        else
            expected = tokens_with(routes[i].scope);
        assert_int_equal(route_has(&routes[i], "key"),
                         (routes[i].scope & DBK_SCOPE_INGEST) != 0);
        if (!json_equal(security, expected))
            fail_msg("%s %s: security is not that of the scope \"%s\"",
                     routes[i].method, routes[i].path, scope);
        json_decref(expected);
        for (size_t j = 0; j < 3; j++) {
            json_t *responses = json_object_get(operation, "responses");
            assert_int_equal(json_object_get(responses, refusals[j]) != NULL,
                             *scope != '\0');
        }
    }
}

static void resolve_all(json_t *value)
{
    const char *key;
    json_t *member;
    size_t index;

    if (json_is_array(value)) {
        json_array_foreach(value, index, member) resolve_all(member);
        return;
    }
    json_object_foreach(value, key, member)
    {
        if (strcmp(key, "$ref") == 0) {
            char path[256], *rest = NULL;
            json_t *at = document;
            snprintf(path, sizeof path, "%s", json_string_value(member) + 2);
            for (char *part = strtok_r(path, "/", &rest); part;
                 part = strtok_r(NULL, "/", &rest))
                at = json_object_get(at, part);
            if (!at)
                fail_msg("%s names nothing", json_string_value(member));
        }
        resolve_all(member);
    }
}

static void every_reference_names_something(void **state)
{
    (void)state;
    resolve_all(document);
}

static void operations_have_ids_of_their_own(void **state)
{
    json_t *seen = json_object();

    (void)state;
    for (size_t i = 0; i < routes_count; i++) {
        const char *id =
            json_string_value(json_object_get(operation_of(&routes[i]), "operationId"));
        assert_non_null(id);
        assert_null(json_object_get(seen, id));
        json_object_set_new(seen, id, json_true());
    }
    json_decref(seen);
}

/* What a generator makes of a name, so that two that differ by case or `_` are one. */
static void plain_name(const char *name, char out[64])
{
    size_t length = 0;

    for (; *name; name++) {
        if (*name == '_' || *name == '-')
            continue;
        assert_true(length < 63);
        out[length++] = (char)(*name >= 'A' && *name <= 'Z' ? *name + 32 : *name);
    }
    out[length] = '\0';
}

/* Go's client has a function NewPerson that makes a Person. */
static void names_do_not_collide_in_what_is_generated(void **state)
{
    json_t *components = json_object_get(document, "components"), *names, *one;
    const char *kind, *name;

    (void)state;
    json_object_foreach(components, kind, names)
    {
        json_t *seen = json_object();
        json_object_foreach(names, name, one)
        {
            char plain[64], made[96];
            plain_name(name, plain);
            if (json_object_get(seen, plain))
                fail_msg("%s: %s is there in another way of writing", kind, name);
            json_object_set_new(seen, plain, json_true());
            snprintf(made, sizeof made, "New%s", name);
            if (json_object_get(names, made))
                fail_msg("%s: %s is the constructor of %s", kind, made, name);
        }
        json_decref(seen);
    }
}

/* Generators leave out whole operations for parameters without a schema, cannot name what
 * is null only, and give up an object of whose members nothing is said. */
static void generators_can_do(json_t *value, const char *where)
{
    const char *key;
    json_t *member;
    size_t index;

    if (json_is_array(value)) {
        json_array_foreach(value, index, member) generators_can_do(member, where);
        return;
    }
    const char *type = json_string_value(json_object_get(value, "type"));
    if (type && strcmp(type, "null") == 0)
        fail_msg("%s is null and nothing else", where);
    if (type && strcmp(type, "object") == 0 && !json_object_get(value, "properties") &&
        !json_object_get(value, "additionalProperties"))
        fail_msg("%s is an object, but says nothing of its members", where);
    if (json_object_get(value, "in") && json_object_get(value, "name") &&
        !json_object_get(value, "schema") && !json_object_get(value, "scheme") &&
        strcmp(where, "key") != 0)
        fail_msg("the parameter %s has no schema", where);
    json_object_foreach(value, key, member)
    {
        if (strcmp(key, "example") != 0)
            generators_can_do(member, key);
    }
}

static void everything_is_said_in_a_way_generators_can_do(void **state)
{
    (void)state;
    generators_can_do(document, "the document");
}

/* Else each generator invents one, and as many types as there are operations. */
static void answers_and_bodies_have_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < routes_count; i++) {
        json_t *operation = operation_of(&routes[i]), *one;
        json_t *all = json_deep_copy(json_object_get(operation, "responses"));
        const char *key, *media;
        json_t *content;
        if (json_object_get(operation, "requestBody"))
            json_object_set(all, "body", json_object_get(operation, "requestBody"));
        json_object_foreach(all, key, one)
        {
            json_object_foreach(json_object_get(one, "content"), media, content)
            {
                json_t *schema = json_object_get(content, "schema");
                if (strcmp(media, "application/json") == 0 &&
                    strcmp(routes[i].path, "/openapi.json") != 0 &&
                    !json_object_get(schema, "$ref"))
                    fail_msg("%s %s: %s has no name", routes[i].method, routes[i].path,
                             key);
            }
        }
        json_decref(all);
    }
}

static void the_version_is_the_programs(void **state)
{
    (void)state;
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(document, "info"), "version")),
                        DAYBOOK_VERSION);
}

/* Count the requests of the collection that fit a route's method and path. */
static size_t postman_has(json_t *items, const struct route *route)
{
    size_t index, count = 0, segments = 0;
    json_t *item;

    for (const char *at = route->path; *at; at++)
        segments += *at == '/' && at[1] != '\0';
    json_array_foreach(items, index, item)
    {
        json_t *request = json_object_get(item, "request");
        json_t *path = json_object_get(json_object_get(request, "url"), "path");
        char pattern[128] = "";
        size_t i;
        json_t *segment;
        count += postman_has(json_object_get(item, "item"), route);
        if (!request || json_array_size(path) != segments ||
            strcmp(json_string_value(json_object_get(request, "method")),
                   route->method) != 0)
            continue;
        json_array_foreach(path, i, segment)
        {
            snprintf(pattern + strlen(pattern), sizeof pattern - strlen(pattern), "/%s",
                     json_string_value(segment));
        }
        size_t fixed = strcspn(route->path, "{");
        count += strncmp(pattern, route->path, fixed) == 0 || segments == 0;
    }
    return count;
}

static void the_postman_collection_has_every_route(void **state)
{
    json_t *collection = load(SOURCE_DIR "/docs/daybook.postman_collection.json");

    (void)state;
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(collection, "auth"), "type")),
        "bearer");
    for (size_t i = 0; i < routes_count; i++) {
        if (strcmp(routes[i].path, "/log/stream") == 0)
            continue; /* it has no end, and who sends a collection waits for one */
        if (postman_has(json_object_get(collection, "item"), &routes[i]) == 0)
            fail_msg("%s %s is not there", routes[i].method, routes[i].path);
    }
    json_decref(collection);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_described),
        cmocka_unit_test(everything_described_is_a_route),
        cmocka_unit_test(the_query_parameters_are_the_routes),
        cmocka_unit_test(bodies_are_described_as_the_routes_take_them),
        cmocka_unit_test(scopes_are_described_as_the_routes_ask_for_them),
        cmocka_unit_test(every_reference_names_something),
        cmocka_unit_test(operations_have_ids_of_their_own),
        cmocka_unit_test(names_do_not_collide_in_what_is_generated),
        cmocka_unit_test(everything_is_said_in_a_way_generators_can_do),
        cmocka_unit_test(answers_and_bodies_have_names),
        cmocka_unit_test(the_version_is_the_programs),
        cmocka_unit_test(the_postman_collection_has_every_route),
    };

    return cmocka_run_group_tests(tests, open_document, close_document) != 0;
}
