/* config_place.h - settings of a directory of their own, and nothing from outside. */
#ifndef TEST_CONFIG_PLACE_H
#define TEST_CONFIG_PLACE_H

#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ALL_GROUPS 31U

struct place {
    char dotenv[64];
    struct config_sources sources;
    struct config *config;
    struct dbk_error err;
};

static inline int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    int fd;

    for (int i = 0; i < SETTING_COUNT; i++)
        unsetenv(config_table[i].name);
    snprintf(place->dotenv, sizeof place->dotenv, "/tmp/daybook-config-XXXXXX");
    fd = mkstemp(place->dotenv);
    assert_true(fd >= 0);
    close(fd);
    place->sources.dotenv_path = place->dotenv;
    place->sources.groups = ALL_GROUPS;
    *state = place;
    return 0;
}

static inline int remove_place(void **state)
{
    struct place *place = *state;

    config_destroy(place->config);
    unlink(place->dotenv);
    free(place);
    return 0;
}

static inline enum dbk_code load(struct place *place)
{
    config_destroy(place->config);
    return config_load(&place->sources, &place->config, &place->err);
}

/* One value, given as a flag. */
static inline enum dbk_code load_flag(struct place *place, enum setting setting,
                                      const char *value)
{
    enum dbk_code code;

    place->sources.flags[setting] = value;
    code = load(place);
    place->sources.flags[setting] = NULL;
    return code;
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

#endif
