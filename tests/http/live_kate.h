/* live_kate.h - a real server and the person that it is asked for. */
#ifndef TEST_LIVE_KATE_H
#define TEST_LIVE_KATE_H

#include "live.h"

#include <pthread.h>

#define KATE                                                                           \
    "{\"email\":\"kate@marauders.mock\",\"first_name\":\"Kate\",\"last_name\":"        \
    "\"Pryde\"}"

static inline int start(void **state)
{
    *state = live_start(NULL, NULL, NULL);
    return 0;
}

static inline int tear_down(void **state)
{
    live_stop(*state);
    return 0;
}

/* The id in the Location of what was made. */
static inline void made_id(const struct heard *heard, char id[40])
{
    char location[256];

    heard_header(heard, "Location", location);
    snprintf(id, 40, "%s", strrchr(location, '/') ? strrchr(location, '/') + 1 : "");
    assert_int_equal(strlen(id), 36);
}

static inline void make_kate(const struct live *live, char id[40])
{
    struct heard heard = live_ask(live, "POST", "/persons", "", KATE);

    assert_heard(&heard, 201, NULL);
    made_id(&heard, id);
    heard_free(&heard);
}

static inline void expect(const struct live *live, const char *method, const char *path,
                          const char *headers, const char *body, int status,
                          const char *saying)
{
    struct heard heard = live_ask(live, method, path, headers, body);

    assert_heard(&heard, status, saying);
    heard_free(&heard);
}

#define LIVE(test) cmocka_unit_test_setup_teardown(test, start, tear_down)

#endif
