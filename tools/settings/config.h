/* config.h - the settings: flags over environment over .env over defaults.
 *
 * One constant table (config_table) is the only source of their names, flags, defaults,
 * bounds and help; enum setting (SETTING_PORT for PORT) is made of it by CMake, the help
 * texts are printed from it, and a test holds docs/settings.md and .env.sample against it.
 */
#ifndef DBK_TOOLS_CONFIG_H
#define DBK_TOOLS_CONFIG_H

#include "projections/database.h"
#include "setting.h"
#include "store/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which settings a subcommand reads: those of other groups are neither flags of it nor
 * checked, so a wrong PORT does not keep `daybook status` from running. */
enum {
    CONFIG_GROUP_DATA = 1,     /* DATA_DIR, MASTER_KEY_FILE, RUN_AS, LOG_...: every
                                  subcommand */
    CONFIG_GROUP_DATABASE = 2, /* DB_... */
    CONFIG_GROUP_SERVE = 4,    /* HOST, PORT and the bounds of the API */
    CONFIG_GROUP_EVENTS = 8,   /* EVENT_TYPES, RETENTION: of those that append events */
    CONFIG_GROUP_CLUSTER =
        16,                  /* CLUSTER_..., but for CLUSTER_DIR and CLUSTER_FORWARD */
    CONFIG_GROUP_AUDIT = 32, /* AUDIT_ORIGIN, AUDIT_POLICY */
    CONFIG_GROUP_NEW = 64,   /* SEALED: of those that make a log */
    CONFIG_GROUP_AGE = 128,  /* RETENTION alone: of who tells what it has come to */
};

enum config_kind {
    CONFIG_TEXT,    /* min 1: may not be empty */
    CONFIG_ADDRESS, /* numeric IPv4, to listen on */
    CONFIG_PEER,    /* numeric IPv4s with commas between, or empty */
    CONFIG_PORT,
    CONFIG_INTEGER,
    CONFIG_SIZE,    /* bytes: 1048576, 1024K, 1 MiB */
    CONFIG_SECONDS, /* 5, 0.25; kept in milliseconds, as are min and max */
    CONFIG_BOOLEAN,
    CONFIG_RETENTION, /* events:400d; in days, 0: off */
    CONFIG_MONTH,     /* 2026-01; its first moment (dbk_timestamp); empty: 0 */
    CONFIG_CHOICE,
    CONFIG_LIST,    /* of event types, separated by commas */
    CONFIG_HOSTS,   /* a list of host[:port] */
    CONFIG_ORIGINS, /* a list of https://name[:port], each as a browser writes it */
};

struct config_entry {
    const char *name; /* in the environment and in .env */
    const char *flag; /* NULL: none, because others could read it in the process list */
    const char *fallback;
    enum config_kind kind;
    unsigned group;
    int64_t min, max;
    const char *choices; /* "error, warn, info, debug" */
    bool secret;         /* never printed */
    const char *help;    /* one line */
};
extern const struct config_entry config_table[SETTING_COUNT];

struct config; /* constant once loaded: safe to share between threads */

/* Where values come from, beside the environment. */
struct config_sources {
    const char *flags[SETTING_COUNT]; /* borrowed for the call; NULL: not given */
    const char *dotenv_path;          /* NULL: none; a missing file is fine */
    unsigned groups; /* which to read; the others keep their defaults */
};

/* Read and check the settings. With those of the database, what .env has for libpq (PG...)
 * is put into the environment, where that lacks it: before there are threads. Free with
 * config_destroy.
 *
 * DBK_INVALID  err names the setting, where the value came from and what is allowed; or
 *              the line of .env that cannot be read
 * DBK_IO       .env is there and cannot be read
 * DBK_NO_MEMORY
 */
enum dbk_code config_load(const struct config_sources *sources, struct config **config,
                          struct dbk_error *err);
void config_destroy(struct config *config); /* NULL is fine */

/* The value; each for its kinds only. What is returned is borrowed from config. */
const char *config_text(const struct config *config, enum setting setting);
int64_t config_number(const struct config *config, enum setting setting);
bool config_boolean(const struct config *config, enum setting setting);
/* NULL where the list is empty (any), else ends with NULL. */
const char *const *config_list(const struct config *config, enum setting setting);

/* Where a value came from: "--port", "the environment", ".env line 3" or "the default".
 */
const char *config_origin(const struct config *config, enum setting setting);

/* A name of .env or of the environment that is no setting and looks like one, in a sentence
 * for who starts the server; "": none does. Borrowed from config. */
const char *config_mistyped(const struct config *config);

/* SHOW_ERROR_DETAILS, which counts only where ENVIRONMENT is "local". */
bool config_error_details(const struct config *config);

/* DB_... as projections take it; false where DB_HOST is empty, which means the private
 * cluster. Strings are borrowed from config. */
bool config_database(const struct config *config, struct dbk_database *out);

/* The setting with this flag; SETTING_COUNT where there is none. */
enum setting config_find_flag(const char *flag, size_t length);

#endif
