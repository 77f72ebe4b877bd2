#include "token_bounds.h"

#include "config_value.h"

#include <stdio.h>
#include <string.h>

enum dbk_code token_rate_parse(const char *text, uint32_t *rate, struct dbk_error *err)
{
    size_t digits = strspn(text, "0123456789");
    uint64_t number = 0;

    for (size_t i = 0; i < digits && number <= DBK_RATE_MAX; i++)
        number = number * 10 + (uint64_t)(text[i] - '0');
    if (digits == 0 || number == 0 || number > DBK_RATE_MAX ||
        (text[digits] && strcmp(text + digits, "/s") != 0))
        return dbk_fail(err, DBK_INVALID,
                        "\"%.64s\": 1 to %d events a second are allowed, as in 500/s",
                        text, DBK_RATE_MAX);
    *rate = (uint32_t)number;
    return DBK_OK;
}

enum dbk_code token_bytes_parse(const char *text, uint64_t *bytes,
                                struct dbk_error *err)
{
    static const struct config_entry size = {
        .kind = CONFIG_SIZE, .min = 1, .max = DBK_BYTES_A_DAY_MAX};
    struct config_value value;

    if (config_value_read(&size, text, &value, err) != DBK_OK)
        return dbk_wrap(err, "\"%.64s\"", text);
    *bytes = (uint64_t)value.number;
    config_value_finish(&value);
    return DBK_OK;
}

static enum dbk_code join(char *const *items, char out[DBK_ORIGINS_TEXT],
                          struct dbk_error *err)
{
    size_t used = 0;

    for (; *items; items++) {
        size_t length = strlen(*items);
        if (used + length + 2 > DBK_ORIGINS_TEXT)
            return dbk_fail(err, DBK_INVALID,
                            "these origins are too long: %d characters are allowed in "
                            "all",
                            DBK_ORIGINS_TEXT - 1);
        if (used > 0)
            out[used++] = ',';
        memcpy(out + used, *items, length);
        used += length;
        out[used] = '\0';
    }
    return DBK_OK;
}

enum dbk_code token_origins_parse(const char *text, char out[DBK_ORIGINS_TEXT],
                                  struct dbk_error *err)
{
    static const struct config_entry origins = {
        .kind = CONFIG_ORIGINS, .min = 1, .max = 256};
    struct config_value value;
    enum dbk_code code = DBK_OK;

    out[0] = '\0';
    if (strcmp(text, "*") == 0) {
        strcpy(out, "*");
        return DBK_OK;
    }
    if (config_value_read(&origins, text, &value, err) != DBK_OK)
        return dbk_wrap(err, "\"%.64s\"", text);
    if (value.items)
        code = join(value.items, out, err);
    config_value_finish(&value);
    return code;
}

static void add(char out[TOKEN_BOUNDS_TEXT], const char *before, const char *what)
{
    size_t used = strlen(out);

    snprintf(out + used, TOKEN_BOUNDS_TEXT - used, "%s%s%s", used ? ", " : "", before,
             what);
}

static void add_number(char out[TOKEN_BOUNDS_TEXT], uint64_t number, const char *what)
{
    char text[24];

    if (number == 0)
        return;
    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    add(out, text, what);
}

void token_bounds_format(const struct dbk_token_bounds *bounds,
                         char out[TOKEN_BOUNDS_TEXT])
{
    out[0] = '\0';
    add_number(out, bounds->rate, "/s");
    add_number(out, bounds->address_rate, "/s an address");
    add_number(out, bounds->bytes_a_day, " bytes a day");
    if (strcmp(bounds->origins, "*") == 0)
        add(out, "for pages of any origin", "");
    else if (*bounds->origins)
        add(out, "for ", bounds->origins);
}
