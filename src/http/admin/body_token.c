#include "body_token.h"

#include "body_values.h"
#include "json_walk.h"

#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX 15

/* The draft that the readers are given stands in it. */
struct draft {
    struct body_draft draft;
    struct body_token *token;
};

static struct body_token *token_of(struct body_draft *draft)
{
    return ((struct draft *)draft)->token;
}

static void read_name(struct body_draft *draft, struct dbk_slice value)
{
    struct body_token *token = token_of(draft);
    struct dbk_slice text;

    if (!body_string(draft, value, &text))
        return;
    if (!dbk_token_name_valid(text.data, text.length)) {
        body_complain(draft, "must be 1 to %d letters, digits, '.', '_' and '-'",
                      DBK_TOKEN_NAME_MAX);
        return;
    }
    memcpy(token->name, text.data, text.length);
    token->name[text.length] = '\0';
}

static void complain_scopes(struct body_draft *draft)
{
    char every[DBK_SCOPES_TEXT];

    dbk_scopes_format(~0U, every);
    body_complain(draft, "must be an array of one or more of: %s", every);
}

static void read_scopes(struct body_draft *draft, struct dbk_slice value)
{
    struct body_token *token = token_of(draft);
    struct dbk_slice one, text;
    struct json_walk walk;

    if (value.data[0] != '[') {
        complain_scopes(draft);
        return;
    }
    json_walk_start(&walk, value);
    while (json_walk_next(&walk, &one)) {
        if (!body_string(draft, one, &text))
            return;
        if (memchr(text.data, ',', text.length) ||
            !dbk_scopes_parse(text.data, text.length, &token->scopes)) {
            complain_scopes(draft);
            return;
        }
    }
    if (token->scopes == 0)
        complain_scopes(draft);
}

/* 0 where it is null. */
static uint64_t read_number(struct body_draft *draft, struct dbk_slice value,
                            uint64_t most)
{
    uint64_t number = 0;
    size_t i = 0;

    if (value.data[0] == 'n')
        return 0;
    for (; i < value.length && i < DIGITS_MAX && value.data[i] >= '0' &&
           value.data[i] <= '9';
         i++)
        number = number * 10 + (uint64_t)(value.data[i] - '0');
    if (i == value.length && number > 0 && number <= most)
        return number;
    body_complain(draft, "must be a whole number from 1 to %llu, or null",
                  (unsigned long long)most);
    return 0;
}

static void read_rate(struct body_draft *draft, struct dbk_slice value)
{
    token_of(draft)->bounds.rate = (uint32_t)read_number(draft, value, DBK_RATE_MAX);
}

static void read_address_rate(struct body_draft *draft, struct dbk_slice value)
{
    token_of(draft)->bounds.address_rate =
        (uint32_t)read_number(draft, value, DBK_RATE_MAX);
}

static void read_bytes_a_day(struct body_draft *draft, struct dbk_slice value)
{
    token_of(draft)->bounds.bytes_a_day =
        read_number(draft, value, DBK_BYTES_A_DAY_MAX);
}

/* Put it behind those that are there; "*" stands alone. */
static bool add_origin(struct body_draft *draft, struct dbk_slice text)
{
    char *origins = token_of(draft)->bounds.origins, *at;
    size_t used = strlen(origins);
    bool every = strcmp(origins, "*") == 0;

    if (used + 1 + text.length >= DBK_ORIGINS_TEXT) {
        body_complain(draft, "must be %d characters at most in all",
                      DBK_ORIGINS_TEXT - 1);
        return false;
    }
    if (used > 0)
        origins[used++] = ',';
    at = origins + used;
    memcpy(at, text.data, text.length);
    at[text.length] = '\0';
    if (strcmp(at, "*") == 0
            ? used == 0
            : !every && strlen(at) == text.length && dbk_origin_valid(at))
        return true;
    body_complain(draft, "must be origins as browsers write them, such as "
                         "https://shop.example, or [\"*\"]");
    return false;
}

static void read_origins(struct body_draft *draft, struct dbk_slice value)
{
    struct dbk_slice one, text;
    struct json_walk walk;

    if (value.data[0] == 'n')
        return;
    if (value.data[0] != '[') {
        body_complain(draft, "expected an array of strings, not %s", json_kind(value));
        return;
    }
    json_walk_start(&walk, value);
    while (json_walk_next(&walk, &one)) {
        if (!body_string(draft, one, &text) || !add_origin(draft, text))
            return;
    }
}

/* What a page holds, everybody can read. */
static void check_origins(struct body_draft *draft)
{
    const struct body_token *token = token_of(draft);

    if (!*token->bounds.origins || token->scopes == 0 ||
        token->scopes == DBK_SCOPE_INGEST)
        return;
    draft->name = "origins";
    body_complain(draft, "only of a token that has the scope ingest alone");
}

enum dbk_code body_token_read(const char *text, size_t length, struct body_token *out,
                              struct dbk_field_errors *fields, struct dbk_error *err)
{
    static const struct body_field table[] = {
        {"name", BODY_FIELD_REQUIRED, read_name},
        {"scopes", BODY_FIELD_REQUIRED, read_scopes},
        {"rate", BODY_FIELD_OPTIONAL, read_rate},
        {"address_rate", BODY_FIELD_OPTIONAL, read_address_rate},
        {"bytes_a_day", BODY_FIELD_OPTIONAL, read_bytes_a_day},
        {"origins", BODY_FIELD_OPTIONAL, read_origins},
        {0},
    };
    struct dbk_record record = {0};
    struct draft draft = {
        .draft = {.record = &record, .fields = fields, .finish = check_origins},
        .token = out};
    void *memory;
    enum dbk_code code;

    *out = (struct body_token){0};
    code = body_read(text, length, table, &draft.draft, &memory, err);
    free(memory); /* all of it was copied */
    return code;
}
