/* body_token.h - the body of POST /admin/tokens. */
#ifndef DBK_HTTP_BODY_TOKEN_H
#define DBK_HTTP_BODY_TOKEN_H

#include "http/fields.h"
#include "http/tokens.h"
#include "store/error.h"

#include <stddef.h>

struct body_token {
    char name[DBK_TOKEN_NAME_MAX + 1];
    unsigned scopes;
    struct dbk_token_bounds bounds;
};

/* An object with `name` and `scopes`, and perhaps `rate`, `address_rate`, `bytes_a_day` and
 * `origins`, of which null says that there is no bound. Errors as in http/body.h. */
enum dbk_code body_token_read(const char *text, size_t length, struct body_token *out,
                              struct dbk_field_errors *fields, struct dbk_error *err);

#endif
