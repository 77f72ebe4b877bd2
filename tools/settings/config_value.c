#include "config_value.h"

#include "http/tokens.h"
#include "store/timestamp.h"
#include "store/utf8.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Digits only: strtoll would take signs, spaces and overflows in its stride. *rest
 * receives what follows them. */
static bool read_digits(const char *text, int64_t *out, const char **rest)
{
    int64_t number = 0;

    if (!isdigit((unsigned char)*text))
        return false;
    for (; isdigit((unsigned char)*text); text++) {
        if (number > (INT64_MAX - 9) / 10)
            return false;
        number = number * 10 + (*text - '0');
    }
    *out = number;
    *rest = text;
    return true;
}

static bool is_allowed(const struct config_entry *entry, int64_t number)
{
    return number >= entry->min && number <= entry->max;
}

static enum dbk_code read_integer(const struct config_entry *entry,
                                  struct config_value *out, struct dbk_error *err)
{
    const char *rest, *what = entry->kind == CONFIG_PORT ? "port" : "whole";
    bool digits = read_digits(out->text, &out->number, &rest);

    if (digits && !*rest && is_allowed(entry, out->number))
        return DBK_OK;
    if (digits && entry->kind == CONFIG_PORT &&
        (!strcmp(rest, "s") || !strcmp(rest, "r")))
        return dbk_fail(
            err, DBK_INVALID,
            "TLS is the part of a proxy in front (docs/access.md has a working "
            "example); a port number alone is allowed");
    return dbk_fail(err, DBK_INVALID, "a %s number from %lld to %lld is allowed", what,
                    (long long)entry->min, (long long)entry->max);
}

static int unit_shift(const char *unit)
{
    static const struct {
        const char *names[3];
        int shift;
    } units[] = {{{"", "b", "b"}, 0},
                 {{"k", "kb", "kib"}, 10},
                 {{"m", "mb", "mib"}, 20},
                 {{"g", "gb", "gib"}, 30}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        for (size_t j = 0; j < 3; j++) {
            if (!strcasecmp(unit, units[i].names[j]))
                return units[i].shift;
        }
    }
    return -1;
}

static enum dbk_code read_size(const struct config_entry *entry,
                               struct config_value *out, struct dbk_error *err)
{
    const char *rest = "";
    bool good = read_digits(out->text, &out->number, &rest);
    int shift = unit_shift(rest + (*rest == ' '));

    good = good && shift >= 0 && out->number <= entry->max >> shift;
    if (good)
        out->number <<= shift;
    if (!good || !is_allowed(entry, out->number))
        return dbk_fail(err, DBK_INVALID,
                        "a size from %lld to %lld bytes is allowed, as in 1048576, "
                        "1024K or 1 MiB",
                        (long long)entry->min, (long long)entry->max);
    return DBK_OK;
}

/* "2" or "0.25" as milliseconds; no more than three decimals. */
static bool read_milliseconds(const char *text, int64_t *out)
{
    const char *rest;
    int64_t unit = 100;

    if (!read_digits(text, out, &rest) || *out > INT32_MAX)
        return false;
    *out *= 1000;
    if (*rest == '.' && rest[1]) {
        for (rest++; isdigit((unsigned char)*rest) && unit > 0; rest++, unit /= 10)
            *out += (*rest - '0') * unit;
    }
    return *rest == '\0';
}

static enum dbk_code read_seconds(const struct config_entry *entry,
                                  struct config_value *out, struct dbk_error *err)
{
    if (!read_milliseconds(out->text, &out->number) || !is_allowed(entry, out->number))
        return dbk_fail(err, DBK_INVALID,
                        "seconds from %g to %g are allowed, as in 5 or 0.25",
                        (double)entry->min / 1000, (double)entry->max / 1000);
    return DBK_OK;
}

static enum dbk_code read_boolean(const struct config_entry *entry,
                                  struct config_value *out, struct dbk_error *err)
{
    static const char *const words[] = {"false", "true", "no",  "yes",
                                        "0",     "1",    "off", "on"};

    (void)entry;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcasecmp(out->text, words[i])) {
            out->number = i % 2;
            return DBK_OK;
        }
    }
    return dbk_fail(err, DBK_INVALID, "true or false is allowed");
}

/* number receives the place of text in the choices. */
static enum dbk_code read_choice(const struct config_entry *entry,
                                 struct config_value *out, struct dbk_error *err)
{
    const char *at = entry->choices;
    size_t length = strlen(out->text);

    for (out->number = 0;; out->number++) {
        size_t word = strcspn(at, ",");

        if (word == length && !memcmp(at, out->text, length))
            return DBK_OK;
        if (!at[word])
            return dbk_fail(err, DBK_INVALID, "allowed are %s", entry->choices);
        at += word + 2;
    }
}

static enum dbk_code read_peer(const struct config_entry *entry,
                               struct config_value *out, struct dbk_error *err)
{
    struct in_addr address;
    char one[INET_ADDRSTRLEN];
    const char *at = out->text;

    (void)entry;
    while (*at) {
        size_t length = strcspn(at, ",");
        bool last = at[length] == '\0';
        if (length < sizeof one) {
            memcpy(one, at, length);
            one[length] = '\0';
        }
        if (length >= sizeof one || inet_pton(AF_INET, one, &address) != 1 ||
            (!last && at[length + 1] == '\0'))
            return dbk_fail(err, DBK_INVALID,
                            "numeric IPv4 addresses are allowed, with commas between, "
                            "such as 127.0.0.1 or 10.0.0.1,10.0.0.2");
        at += length + !last;
    }
    return DBK_OK;
}

/* Months are forgotten whole: one that is younger than a month cannot be. */
static enum dbk_code read_retention(const struct config_entry *entry,
                                    struct config_value *out, struct dbk_error *err)
{
    static const char of[] = "events:";
    const char *age = out->text + sizeof of - 1, *rest;

    if (strncmp(out->text, of, sizeof of - 1) == 0 &&
        (strcmp(age, "off") == 0 ||
         (read_digits(age, &out->number, &rest) && strcmp(rest, "d") == 0 &&
          is_allowed(entry, out->number))))
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID,
                    "events:off is allowed, or an age from %lld to %lld days, as in "
                    "events:400d",
                    (long long)entry->min, (long long)entry->max);
}

/* Its first moment, UTC. */
static enum dbk_code read_month(const struct config_entry *entry,
                                struct config_value *out, struct dbk_error *err)
{
    (void)entry;
    if (*out->text == '\0' || dbk_month_parse(out->text, &out->number))
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID, "a month is allowed, as 2026-01, or nothing");
}

/* Whether others may reach it is asked where the access tokens are known (serve). */
static enum dbk_code read_address(const struct config_entry *entry,
                                  struct config_value *out, struct dbk_error *err)
{
    struct in_addr address;

    (void)entry;
    if (!strcmp(out->text, "localhost")) /* as long as its number */
        strcpy(out->text, "127.0.0.1");
    if (inet_pton(AF_INET, out->text, &address) == 1)
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID,
                    "a numeric IPv4 address is allowed, such as 127.0.0.1; one that "
                    "others can reach, or 0.0.0.0 for all, needs access tokens");
}

/* As events may have it, but for commas in it and spaces around it. */
static enum dbk_code read_event_type(const struct config_entry *entry, const char *item,
                                     struct dbk_error *err)
{
    const char *at = item, *end = item + strlen(item);
    long long count = 0;
    bool good = true;

    while (good && at < end) {
        uint32_t point;
        size_t length = dbk_utf8_decode(at, end, &point);
        good = length > 0 && !dbk_utf8_is_control(point);
        at += length;
        count++;
    }
    if (good && count >= entry->min && count <= entry->max)
        return DBK_OK;
    return dbk_fail(
        err, DBK_INVALID,
        "names of %lld to %lld characters, none of them a control character, "
        "are allowed, separated by commas",
        (long long)entry->min, (long long)entry->max);
}

static enum dbk_code read_origin(const struct config_entry *entry, const char *item,
                                 struct dbk_error *err)
{
    if (strlen(item) <= (size_t)entry->max && dbk_origin_valid(item))
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID,
                    "origins are allowed as browsers write them, such as "
                    "https://shop.example.org or http://localhost:3000, separated by "
                    "commas: small letters, no path, no * and no port that is the "
                    "scheme's own");
}

static enum dbk_code read_host(const struct config_entry *entry, const char *item,
                               struct dbk_error *err)
{
    struct dbk_slice host;
    const char *port;

    if (strlen(item) <= (size_t)entry->max && dbk_database_host(item, &host, &port))
        return DBK_OK;
    return dbk_fail(
        err, DBK_INVALID,
        "host[:port] is allowed, as db2.example.org:5432, 10.0.0.2, [::1]:5432 "
        "or the directory of a socket, separated by commas");
}

/* Cut the item that begins at `at` at its comma; what follows it, or NULL. */
static char *cut_item(char *at, char **item)
{
    char *comma = strchr(at, ','), *end = comma ? comma : at + strlen(at);

    while (*at == ' ')
        at++;
    *item = at;
    while (end > at && end[-1] == ' ')
        end--;
    *end = '\0';
    return comma ? comma + 1 : NULL;
}

typedef enum dbk_code read_item(const struct config_entry *entry, const char *item,
                                struct dbk_error *err);

static enum dbk_code read_list(const struct config_entry *entry,
                               struct config_value *out, struct dbk_error *err)
{
    read_item *read = entry->kind == CONFIG_ORIGINS ? read_origin
                      : entry->kind == CONFIG_HOSTS ? read_host
                                                    : read_event_type;
    size_t commas = 0, count = 0;
    char *at = out->text;

    if (!*at)
        return DBK_OK;
    for (const char *c = at; *c; c++)
        commas += *c == ',';
    out->items = calloc(commas + 2, sizeof *out->items);
    if (!out->items)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    while (at) {
        char *item;

        at = cut_item(at, &item);
        if (read(entry, item, err) != DBK_OK)
            return err->code;
        out->items[count++] = item;
    }
    assert(count == commas + 1); /* a NULL is left behind them */
    return DBK_OK;
}

static enum dbk_code read_text(const struct config_entry *entry,
                               struct config_value *out, struct dbk_error *err)
{
    size_t length = strlen(out->text);

    if (length < (size_t)entry->min)
        return dbk_fail(err, DBK_INVALID, "it may not be empty");
    if (length > (size_t)entry->max)
        return dbk_fail(err, DBK_INVALID, "at most %lld bytes are allowed",
                        (long long)entry->max);
    /* Its password would be in the log and in every error of libpq. */
    if (entry->group == CONFIG_GROUP_DATABASE && !entry->secret &&
        strstr(out->text, "://"))
        return dbk_fail(err, DBK_INVALID,
                        "a connection URI is not taken; give its parts: DB_HOST, "
                        "DB_PORT, DB_NAME, DB_USER, DB_PASS");
    return DBK_OK;
}

/* Each reads out->text, and may change it. */
static enum dbk_code (*const kinds[])(const struct config_entry *entry,
                                      struct config_value *out,
                                      struct dbk_error *err) = {
    [CONFIG_TEXT] = read_text,           [CONFIG_ADDRESS] = read_address,
    [CONFIG_PEER] = read_peer,           [CONFIG_PORT] = read_integer,
    [CONFIG_INTEGER] = read_integer,     [CONFIG_SIZE] = read_size,
    [CONFIG_SECONDS] = read_seconds,     [CONFIG_BOOLEAN] = read_boolean,
    [CONFIG_CHOICE] = read_choice,       [CONFIG_LIST] = read_list,
    [CONFIG_HOSTS] = read_list,          [CONFIG_ORIGINS] = read_list,
    [CONFIG_RETENTION] = read_retention, [CONFIG_MONTH] = read_month,
};

enum dbk_code config_value_read(const struct config_entry *entry, const char *text,
                                struct config_value *out, struct dbk_error *err)
{
    enum dbk_code code;

    assert(entry->kind < sizeof kinds / sizeof *kinds && kinds[entry->kind]);
    *out = (struct config_value){.text = strdup(text)};
    if (!out->text)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    code = kinds[entry->kind](entry, out, err);
    if (code != DBK_OK)
        config_value_finish(out);
    return code;
}

void config_value_finish(struct config_value *value)
{
    free(value->text);
    free(value->items);
    *value = (struct config_value){0};
}
