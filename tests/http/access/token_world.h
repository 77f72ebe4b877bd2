/* token_world.h - a real server with a file of tokens. */
#ifndef TEST_TOKEN_WORLD_H
#define TEST_TOKEN_WORLD_H

#include "http/tokens.h"
#include "live.h"

#include "routes.h"

#include <pthread.h>
#include <sys/stat.h>
#include <time.h>

#define NEW_PERSON                                                                     \
    "{\"email\":\"kate@marauders.mock\",\"first_name\":\"Kate\",\"last_name\":\"P\"}"

struct world {
    char dir[SCRATCH_DIR_MAX];
    char actor[64]; /* of the last request */
    pthread_mutex_t mutex;
    struct live *live;
};

static inline int make_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    scratch_dir_make(world->dir);
    pthread_mutex_init(&world->mutex, NULL);
    *state = world;
    return 0;
}

static inline int end_world(void **state)
{
    struct world *world = *state;

    if (world->live)
        live_stop(world->live);
    pthread_mutex_destroy(&world->mutex);
    scratch_dir_remove(world->dir);
    free(world);
    return 0;
}

static inline void start(struct world *world)
{
    struct dbk_server_options options = live_options(NULL);

    options.tokens_dir = world->dir;
    world->live = live_start(&options, NULL, NULL);
}

/* A new token, as the line of its header. */
static inline void token(const struct world *world, const char *name, unsigned scopes,
                         char header[128])
{
    char secret[DBK_TOKEN_SECRET + 1];
    struct dbk_error err;

    if (dbk_tokens_create(world->dir, name, scopes, NULL, secret, &err) != DBK_OK)
        fail_msg("%s", err.text);
    snprintf(header, 128, "Authorization: Bearer %s\r\n", secret);
}

static inline int status_of_get(const struct world *world, const char *path,
                                const char *headers)
{
    struct heard heard = live_ask(world->live, "GET", path, headers, NULL);
    int status = heard.status;

    heard_free(&heard);
    return status;
}

#endif
