#include "config.h"

#include "config_cluster.h"
#include "config_value.h"
#include "dotenv.h"
#include "mistyped.h"
#include "projections/database.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct config {
    struct {
        struct config_value value;
        char origin[48];
    } settings[SETTING_COUNT];
    char mistyped[MISTYPED_MAX];
};

/* What was given for a setting, and by whom. */
struct given {
    const char *text;
    char origin[48];
};

static struct given find_given(const struct config_sources *sources,
                               const struct dotenv *dotenv, enum setting setting)
{
    const struct config_entry *entry = &config_table[setting];
    const struct dotenv_entry *line = dotenv_find(dotenv, entry->name);
    const char *environment = getenv(entry->name);
    struct given given = {.text = entry->fallback, .origin = "the default"};

    if (!(sources->groups & entry->group))
        return given;
    if (sources->flags[setting]) {
        given.text = sources->flags[setting];
        snprintf(given.origin, sizeof given.origin, "%s", entry->flag);
    } else if (environment) {
        given.text = environment;
        snprintf(given.origin, sizeof given.origin, "the environment");
    } else if (line) {
        given.text = line->value;
        snprintf(given.origin, sizeof given.origin, ".env line %u", line->line);
    }
    return given;
}

/* Whether it may be shown: a URI of a database can have a password in it. */
static bool may_show(const struct config_entry *entry, const char *text)
{
    return !entry->secret &&
           (entry->group != CONFIG_GROUP_DATABASE || !strstr(text, "://"));
}

/* Say which value it was, as far as a terminal and a secret allow. */
static enum dbk_code refuse(const struct config_entry *entry, const struct given *given,
                            struct dbk_error *err)
{
    struct dbk_error why = *err;

    if (why.code == DBK_NO_MEMORY)
        return why.code;
    if (!may_show(entry, given->text))
        return dbk_fail(err, why.code, "%s from %s: %s", entry->name, given->origin,
                        why.text);
    return dbk_fail(err, why.code, "%s from %s is \"%.64s\": %s", entry->name,
                    given->origin, given->text, why.text);
}

static enum dbk_code load_settings(const struct config_sources *sources,
                                   const struct dotenv *dotenv, struct config *config,
                                   struct dbk_error *err)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct config_entry *entry = &config_table[i];
        struct given given = find_given(sources, dotenv, (enum setting)i);

        if (config_value_read(entry, given.text, &config->settings[i].value, err) !=
            DBK_OK)
            return refuse(entry, &given, err);
        memcpy(config->settings[i].origin, given.origin, sizeof given.origin);
    }
    return DBK_OK;
}

/* Twice the same server would be asked twice as much as the others. */
static enum dbk_code check_twice(const struct config *config, struct dbk_error *err)
{
    const char *const *hosts = config_list(config, SETTING_READ_HOSTS);
    struct dbk_slice one, other;
    const char *port, *other_port;

    for (size_t i = 0; hosts && hosts[i]; i++) {
        for (size_t j = 0; j < i; j++) {
            if (dbk_database_host(hosts[i], &one, &port) &&
                dbk_database_host(hosts[j], &other, &other_port) &&
                dbk_slice_equal(one, other) &&
                !strcmp(port ? port : "", other_port ? other_port : ""))
                return dbk_fail(err, DBK_INVALID, "READ_HOSTS from %s: %.64s is twice",
                                config_origin(config, SETTING_READ_HOSTS), hosts[i]);
        }
    }
    return DBK_OK;
}

/* What no setting can tell alone. */
static enum dbk_code check_together(const struct config *config, unsigned groups,
                                    struct dbk_error *err)
{
    if (config_list(config, SETTING_READ_HOSTS) &&
        !*config_text(config, SETTING_DB_HOST))
        return dbk_fail(
            err, DBK_INVALID,
            "READ_HOSTS from %s: replicas are of a PostgreSQL of yours; set "
            "DB_HOST, or leave READ_HOSTS empty",
            config_origin(config, SETTING_READ_HOSTS));
    if (check_twice(config, err) != DBK_OK)
        return err->code;
    return config_cluster_check(config, groups, err);
}

/* What libpq reads of the environment (PGSSLMODE and its like) may be in .env, too: left
 * out without a word, who asks for TLS there would go without. The last line of a name
 * counts, and the environment goes before it. */
static enum dbk_code take_libpq(const struct dotenv *dotenv, struct dbk_error *err)
{
    for (size_t i = dotenv->count; i > 0; i--) {
        const struct dotenv_entry *entry = &dotenv->entries[i - 1];

        if (!strncmp(entry->name, "PG", 2) && setenv(entry->name, entry->value, 0) != 0)
            return dbk_fail(err, DBK_NO_MEMORY, "read the settings: out of memory");
    }
    return DBK_OK;
}

enum dbk_code config_load(const struct config_sources *sources, struct config **config,
                          struct dbk_error *err)
{
    struct dotenv dotenv = {0};
    struct config *made = NULL;
    enum dbk_code code = DBK_OK;

    *config = NULL;
    if (sources->dotenv_path)
        code = dotenv_read(sources->dotenv_path, &dotenv, err);
    if (code != DBK_OK)
        return code;
    made = calloc(1, sizeof *made);
    if (made)
        code = load_settings(sources, &dotenv, made, err);
    else
        code = dbk_fail(err, DBK_NO_MEMORY, "read the settings: out of memory");
    if (code == DBK_OK && (sources->groups & CONFIG_GROUP_DATABASE))
        code = take_libpq(&dotenv, err);
    if (code == DBK_OK)
        mistyped_find(&dotenv, made->mistyped);
    dotenv_finish(&dotenv);
    if (code == DBK_OK)
        code = check_together(made, sources->groups, err);
    if (code != DBK_OK)
        config_destroy(made);
    else
        *config = made;
    return code;
}

void config_destroy(struct config *config)
{
    if (!config)
        return;
    for (int i = 0; i < SETTING_COUNT; i++)
        config_value_finish(&config->settings[i].value);
    free(config);
}

static bool is_list(enum setting setting)
{
    enum config_kind kind = config_table[setting].kind;

    return kind == CONFIG_LIST || kind == CONFIG_HOSTS || kind == CONFIG_ORIGINS;
}

const char *config_text(const struct config *config, enum setting setting)
{
    assert(!is_list(setting)); /* its text was cut into the items */
    return config->settings[setting].value.text;
}

int64_t config_number(const struct config *config, enum setting setting)
{
    enum config_kind kind = config_table[setting].kind;

    assert(kind >= CONFIG_PORT && kind <= CONFIG_CHOICE); /* those that are numbers */
    return config->settings[setting].value.number;
}

const char *config_mistyped(const struct config *config)
{
    return config->mistyped;
}

bool config_boolean(const struct config *config, enum setting setting)
{
    assert(config_table[setting].kind == CONFIG_BOOLEAN);
    return config->settings[setting].value.number != 0;
}

const char *const *config_list(const struct config *config, enum setting setting)
{
    assert(is_list(setting));
    return (const char *const *)config->settings[setting].value.items;
}

const char *config_origin(const struct config *config, enum setting setting)
{
    return config->settings[setting].origin;
}

bool config_error_details(const struct config *config)
{
    return config_boolean(config, SETTING_SHOW_ERROR_DETAILS) &&
           !strcmp(config_text(config, SETTING_ENVIRONMENT), "local");
}

bool config_database(const struct config *config, struct dbk_database *out)
{
    *out = (struct dbk_database){
        .host = config_text(config, SETTING_DB_HOST),
        .port = config_text(config, SETTING_DB_PORT),
        .name = config_text(config, SETTING_DB_NAME),
        .user = config_text(config, SETTING_DB_USER),
        .password = config_text(config, SETTING_DB_PASS),
        .schema = config_text(config, SETTING_DB_SCHEMA),
    };
    return *out->host != '\0';
}
