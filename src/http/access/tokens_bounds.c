/* The bounds of a token, as words of its line. */
#include "store/decimal.h"
#include "tokens_private.h"

#include <stdio.h>
#include <string.h>

static const char origin_letters[] = "abcdefghijklmnopqrstuvwxyz0123456789.:/_-";

int tokens_version(const struct dbk_token *token)
{
    const struct dbk_token_bounds *bounds = &token->bounds;
    int version = tokens_scopes_version(token->scopes);

    if (version < 2 && (bounds->rate || bounds->address_rate || bounds->bytes_a_day ||
                        *bounds->origins))
        version = 2;
    return version;
}

/* Names as they are compared with what browsers send; what makes one is the tools' to
 * know. */
bool tokens_origins_valid(const char *origins)
{
    if (strcmp(origins, "*") == 0)
        return true;
    for (const char *at = origins; *origins;) {
        size_t length = strspn(at, origin_letters);
        if (length == 0 || (at[length] && at[length] != ','))
            return false;
        if (!at[length])
            return true;
        at += length + 1;
    }
    return true;
}

static bool has_item(const char *list, const char *item)
{
    size_t length = strlen(item);

    for (const char *at = list; *at; at += *at == ',') {
        size_t own = strcspn(at, ",");
        if (own == length && memcmp(at, item, length) == 0)
            return true;
        at += own;
    }
    return false;
}

bool dbk_token_origin_let(const struct dbk_token_bounds *bounds, const char *origin)
{
    return strcmp(bounds->origins, "*") == 0 ||
           (!strchr(origin, ',') && has_item(bounds->origins, origin));
}

static void add_number(const char *key, uint64_t number, char out[TOKENS_LINE])
{
    size_t used = strlen(out);

    if (number > 0)
        snprintf(out + used, TOKENS_LINE - used, "%s%llu ", key,
                 (unsigned long long)number);
}

void tokens_format_bounds(const struct dbk_token_bounds *bounds, char out[TOKENS_LINE])
{
    size_t used;

    out[0] = '\0';
    add_number("rate=", bounds->rate, out);
    add_number("address-rate=", bounds->address_rate, out);
    add_number("bytes-a-day=", bounds->bytes_a_day, out);
    used = strlen(out);
    if (*bounds->origins)
        snprintf(out + used, TOKENS_LINE - used, "origins=%s ", bounds->origins);
}

static bool take_key(const char **at, const char *end, const char *key)
{
    size_t length = strlen(key);

    if ((size_t)(end - *at) < length || memcmp(*at, key, length) != 0)
        return false;
    *at += length;
    return true;
}

/* What stands before the next space, where it fits. */
static bool take_word(const char **at, const char *end, char *out, size_t size)
{
    const char *space = memchr(*at, ' ', (size_t)(end - *at));
    size_t length = space ? (size_t)(space - *at) : 0;

    if (length == 0 || length >= size || memchr(*at, '\0', length))
        return false;
    memcpy(out, *at, length);
    out[length] = '\0';
    *at = space + 1;
    return true;
}

static bool take_number(const char **at, const char *end, const char *key,
                        uint64_t most, uint64_t *out)
{
    char text[DECIMAL_MAX + 1];

    *out = 0;
    if (!take_key(at, end, key))
        return true;
    if (!take_word(at, end, text, sizeof text) || text[0] == '0' || strlen(text) > 18)
        return false;
    for (const char *digit = text; *digit; digit++) {
        if (*digit < '0' || *digit > '9')
            return false;
        *out = *out * 10 + (uint64_t)(*digit - '0');
    }
    return *out <= most;
}

static bool take_origins(const char **at, const char *end, char out[DBK_ORIGINS_TEXT])
{
    if (!take_key(at, end, "origins="))
        return true;
    return take_word(at, end, out, DBK_ORIGINS_TEXT) && tokens_origins_valid(out);
}

bool tokens_parse_bounds(const char *text, size_t length,
                         struct dbk_token_bounds *bounds)
{
    const char *at = text, *end = text + length;
    uint64_t rate, address_rate;

    *bounds = (struct dbk_token_bounds){0};
    if (!take_number(&at, end, "rate=", DBK_RATE_MAX, &rate) ||
        !take_number(&at, end, "address-rate=", DBK_RATE_MAX, &address_rate) ||
        !take_number(&at, end, "bytes-a-day=", DBK_BYTES_A_DAY_MAX,
                     &bounds->bytes_a_day) ||
        !take_origins(&at, end, bounds->origins))
        return false;
    bounds->rate = (uint32_t)rate;
    bounds->address_rate = (uint32_t)address_rate;
    return at == end;
}
