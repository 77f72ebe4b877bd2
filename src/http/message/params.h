/* params.h - the query string of a request, read strictly.
 *
 * Names and values are percent-decoded, '+' is a space. A parameter that the route does
 * not have, one that comes twice (but for keyword), and a value that cannot be read are
 * each an error that names the parameter; none is ignored, for a filter that is misspelt
 * and ignored answers a question nobody asked.
 */
#ifndef DBK_HTTP_PARAMS_H
#define DBK_HTTP_PARAMS_H

#include "http/fields.h"
#include "store/error.h"
#include "store/slice.h"
#include "store/timestamp.h"
#include "store/uuid.h"

/* The one that may come several times: a value each, any of which will do. */
#define PARAMS_REPEATED "keyword"
#define PARAMS_REPEATED_MAX 20

#define PARAMS_MAX (PARAMS_REPEATED_MAX + 20)

struct params {
    size_t count;
    struct param {
        struct dbk_slice name;
        struct dbk_slice value;
    } list[PARAMS_MAX];
};

/* Cut and decode query, in place: params' slices point into it. allowed ends with NULL.
 * DBK_INVALID: err says it in one sentence, fields names each. */
enum dbk_code params_parse(char *query, const char *const *allowed,
                           struct params *params, struct dbk_field_errors *fields,
                           struct dbk_error *err);

/* Each of these leaves *out alone where the parameter is absent, and returns whether it
 * is there and good. A bad value adds to fields. */
bool params_unsigned(const struct params *params, const char *name, uint64_t least,
                     uint64_t most, uint64_t *out, struct dbk_field_errors *fields);
bool params_uuid(const struct params *params, const char *name, struct dbk_uuid *out,
                 struct dbk_field_errors *fields);
bool params_timestamp(const struct params *params, const char *name, dbk_timestamp *out,
                      struct dbk_field_errors *fields);
/* The JSON text of an object. */
bool params_object(const struct params *params, const char *name, struct dbk_slice *out,
                   struct dbk_field_errors *fields);
/* The same, of one that rows are to contain, which an index finds: so there must be a value
 * in it that is no object or array. */
bool params_contained(const struct params *params, const char *name,
                      struct dbk_slice *out, struct dbk_field_errors *fields);

/* As it is, of any length. */
bool params_text(const struct params *params, const char *name, struct dbk_slice *out);

/* Which of the choices (the last is NULL) it says, -1 where it is absent or says none. */
int params_choice(const struct params *params, const char *name,
                  const char *const *choices, struct dbk_field_errors *fields);

/* The types of the repeated one. Returns how many are good. */
size_t params_event_types(const struct params *params,
                          struct dbk_slice out[PARAMS_REPEATED_MAX],
                          struct dbk_field_errors *fields);

/* Add what is wrong with a parameter. */
void params_wrong(struct dbk_field_errors *fields, struct dbk_slice name,
                  const char *format, ...) __attribute__((format(printf, 3, 4)));

/* DBK_OK, or DBK_INVALID where fields has any: for the end of reading parameters. */
enum dbk_code params_done(const struct dbk_field_errors *fields, struct dbk_error *err);

/* Percent-decode in place; *length is updated. False for a '%' without two hex digits
 * and for %00. */
bool params_decode(char *text, size_t *length, bool plus_is_space);

#endif
