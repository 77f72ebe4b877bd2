/* cluster_world.h - a directory with a private cluster, and looks at it. */
#ifndef DBK_TESTS_CLUSTER_WORLD_H
#define DBK_TESTS_CLUSTER_WORLD_H

#include "pg.h"
#include "projections/cluster.h"

#include <glob.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { PATIENCE_MS = 30000 };

struct world {
    char dir[64];
    struct dbk_uuid id;
};

static inline void pause_10ms(void)
{
    const struct timespec pause = {.tv_nsec = 10000000L};

    nanosleep(&pause, NULL);
}

static inline void remove_tree(const char *dir, const char *name)
{
    char command[256];

    snprintf(command, sizeof command, "rm -rf %s/%s", dir, name);
    assert_int_equal(system(command), 0);
}

static inline void write_file(const char *dir, const char *name, const char *text)
{
    char path[256];
    FILE *file;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static inline struct dbk_cluster *open_cluster(const struct world *world)
{
    struct dbk_cluster_options options = {.data_dir = world->dir,
                                          .store_id = world->id};
    struct dbk_cluster *cluster;
    struct dbk_error err = {0};

    if (dbk_cluster_open(&options, &cluster, &err) != DBK_OK)
        fail_msg("%s", err.text);
    return cluster;
}

static inline bool answers(const struct dbk_database *database)
{
    struct pg_options options = {.connect_timeout_ms = 5000};
    struct pg_statement statement = {.sql = "select 1"};
    struct pg *pg;
    bool good;

    if (pg_open(database, &options, &pg, NULL) != DBK_OK)
        return false;
    good = pg_run(pg, &statement, NULL, 0, 5000, NULL, NULL) == DBK_OK;
    pg_close(pg);
    return good;
}

/* 0: no server. */
static inline pid_t server_pid(const char *dir)
{
    char path[128];
    long pid = 0;
    FILE *file;

    snprintf(path, sizeof path, "%s/postgres/postmaster.pid", dir);
    file = fopen(path, "r");
    if (!file)
        return 0;
    if (fscanf(file, "%ld", &pid) != 1)
        pid = 0;
    fclose(file);
    return (pid_t)pid;
}

static inline bool exists(const char *dir, const char *pattern)
{
    char path[256];
    glob_t found;
    bool any;

    snprintf(path, sizeof path, "%s/%s", dir, pattern);
    any = glob(path, 0, NULL, &found) == 0;
    if (any)
        globfree(&found);
    return any;
}

/* Another than this one. */
static inline bool comes_back(const struct world *world,
                              const struct dbk_database *database, pid_t before)
{
    for (int waited = 0; waited < PATIENCE_MS; waited += 10) {
        pid_t server = server_pid(world->dir);

        if (server > 0 && server != before && answers(database))
            return true;
        pause_10ms();
    }
    return false;
}

static inline bool ends(pid_t server)
{
    for (int waited = 0; waited < PATIENCE_MS && kill(server, 0) == 0; waited += 10)
        pause_10ms();
    return kill(server, 0) != 0;
}

static inline int make_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    if (!world)
        return -1;
    strcpy(world->dir, "/tmp/dbk-cluster-XXXXXX");
    world->id = dbk_uuid_new();
    *state = world;
    return mkdtemp(world->dir) && chmod(world->dir, 0755) == 0 ? 0 : -1;
}

static inline int remove_world(void **state)
{
    struct world *world = *state;

    remove_tree(world->dir, "");
    free(world);
    return 0;
}

#endif
