#include "projections/cluster.h"

#include "cluster_files.h"
#include "cluster_lock.h"
#include "cluster_place.h"
#include "cluster_server.h"
#include "pg.h"
#include "store/clock.h"
#include "store/thread.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 20, READY_MS = 60000, ATTACH_MS = 5000, DEATHS_MAX = 5 };
enum { WATCH_MS = 100, AGAIN_MS = 2000 };

#define DAMAGED "postgres.damaged" /* beside it, where it is set aside */

struct dbk_cluster {
    char data_dir[PATH_MAX];
    struct dbk_cluster_options options; /* data_dir not kept */
    struct dbk_watch watch;             /* asks and tells that of options */
    struct cluster_place place;
    struct dbk_database database;
    int lock;   /* the file of cluster_lock.h; -1: not open */
    pid_t seen; /* the server that was opened */

    /* Of who opens it, then of the thread. */
    bool owner;
    struct cluster_server server;

    bool watched; /* the thread runs */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    bool stopping;
};

static bool enough(void *context)
{
    struct dbk_cluster *cluster = context;
    bool stopping;

    pthread_mutex_lock(&cluster->mutex);
    stopping = cluster->stopping;
    pthread_mutex_unlock(&cluster->mutex);
    return stopping || dbk_watch_stops(&cluster->options.watch);
}

static void tell_line(void *context, const char *line)
{
    const struct dbk_cluster *cluster = context;

    dbk_watch_say(&cluster->options.watch, "%s", line);
}

static void tell_of_death(const struct dbk_cluster *cluster)
{
    char tail[256];

    cluster_log_tail(&cluster->place, tail, sizeof tail);
    dbk_watch_say(&cluster->watch, "PostgreSQL ended (%s): starting it again", tail);
}

/* As the owner. */
static enum dbk_code wait_until_ready(struct dbk_cluster *cluster,
                                      struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(READY_MS);
    char tail[256];

    while (dbk_deadline_left(deadline) > 0 && cluster->server.deaths < DEATHS_MAX) {
        if (enough(cluster))
            return dbk_fail(err, DBK_INTERRUPTED, "stopped");
        cluster_server_keep(&cluster->server);
        if (pg_answers(&cluster->database))
            return DBK_OK;
        dbk_sleep_ms(POLL_MS);
    }
    cluster_log_tail(&cluster->place, tail, sizeof tail);
    return dbk_fail(err, DBK_TIMEOUT,
                    "the private PostgreSQL does not accept connections; its log %s "
                    "ends: %s",
                    cluster->place.log, tail);
}

/* Nothing is lost with it, its tables come from the log. What lies there under that name
 * is not written over. */
static enum dbk_code set_aside(struct dbk_cluster *cluster, const char *name,
                               struct dbk_error *err)
{
    enum dbk_code code = cluster_set_aside(&cluster->place, name, err);

    if (code == DBK_OK)
        dbk_watch_say(&cluster->watch, "the cluster %s is set aside as %s",
                      cluster->place.dir, name);
    return code;
}

/* A cluster of this version that these programs can run: the one there is, or a new
 * one. */
static enum dbk_code provide_cluster(struct dbk_cluster *cluster, struct dbk_error *err)
{
    struct cluster_programs *programs = &cluster->server.programs;
    int version = cluster_version(&cluster->place);
    char name[64] = DAMAGED;
    enum dbk_code code = cluster_programs_find(version, programs, err);

    if (code != DBK_OK)
        return code;
    if (version > 0 && (programs->major == 0 || version == programs->major))
        return DBK_OK;
    if (version > 0) {
        snprintf(name, sizeof name, "postgres.version-%d.%ld", version,
                 (long)time(NULL));
        dbk_watch_say(&cluster->watch,
                      "the cluster is of PostgreSQL %d, installed is %d", version,
                      programs->major);
    }
    if (access(cluster->place.dir, F_OK) == 0)
        code = set_aside(cluster, name, err);
    if (code == DBK_OK)
        code = cluster_make(&cluster->place, programs, &cluster->watch, err);
    return code;
}

static enum dbk_code start_once(struct dbk_cluster *cluster, struct dbk_error *err)
{
    enum dbk_code code;

    cluster->server =
        (struct cluster_server){.place = &cluster->place, .lock = cluster->lock};
    code = cluster_place_make(&cluster->place, err);
    if (code == DBK_OK)
        code = cluster_server_end_leftover(&cluster->server, &cluster->watch, err);
    if (code == DBK_OK)
        code = provide_cluster(cluster, err);
    if (code == DBK_OK)
        code = wait_until_ready(cluster, err);
    return code;
}

/* As the owner, who is no owner any more where that fails. */
static enum dbk_code start(struct dbk_cluster *cluster, struct dbk_error *err)
{
    enum dbk_code code;

    if (cluster->place.outside)
        dbk_watch_say(&cluster->watch,
                      "PostgreSQL cannot reach %s as uid %u: its files are in %s",
                      cluster->data_dir, (unsigned)cluster->place.user.uid,
                      cluster->place.base);
    code = start_once(cluster, err);
    if (cluster->server.deaths >= DEATHS_MAX && cluster_has_room(&cluster->place) &&
        set_aside(cluster, DAMAGED, NULL) == DBK_OK)
        code = start_once(cluster, err);
    cluster->owner = code == DBK_OK;
    if (cluster->owner) {
        dbk_watch_say(&cluster->watch, "private PostgreSQL runs, socket in %s",
                      cluster->place.socket_dir);
    } else {
        cluster_server_end(&cluster->server);
        cluster_lock_disown(cluster->lock);
    }
    return code;
}

/* Start it or attach to it. One that is just starting or ending is waited for, not so
 * long by those who only ask. */
static enum dbk_code start_or_attach(struct dbk_cluster *cluster, struct dbk_error *err)
{
    bool only = cluster->options.attach_only, mine = false;
    dbk_deadline deadline = dbk_deadline_in(only ? ATTACH_MS : READY_MS);

    while (dbk_deadline_left(deadline) > 0) {
        if (enough(cluster))
            return dbk_fail(err, DBK_INTERRUPTED, "stopped");
        if (only && !cluster_lock_owned(cluster->lock))
            return dbk_fail(
                err, DBK_UNAVAILABLE,
                "no private PostgreSQL runs for %s: start it with \"daybook "
                "serve\"",
                cluster->data_dir);
        if (!only && cluster_lock_own(cluster->lock, &mine, err) != DBK_OK)
            return DBK_IO;
        if (mine)
            return start(cluster, err);
        if (pg_answers(&cluster->database))
            return DBK_OK;
        dbk_sleep_ms(POLL_MS);
    }
    return dbk_fail(
        err, DBK_TIMEOUT,
        "another process runs the private PostgreSQL of %s, but it does not "
        "accept connections",
        cluster->data_dir);
}

/* Its owner has ended. Whoever sees it first starts another. False where that failed. */
static bool take_over(struct dbk_cluster *cluster)
{
    struct dbk_error err = {0};
    bool mine = false;

    assert(!cluster->owner && cluster->server.pid == 0);
    if (cluster_lock_own(cluster->lock, &mine, &err) == DBK_OK) {
        if (!mine)
            return true;
        dbk_watch_say(&cluster->watch, "the process that ran the private PostgreSQL is "
                                       "gone: starting it again");
        if (start(cluster, &err) == DBK_OK)
            return true;
    }
    if (err.code != DBK_INTERRUPTED)
        dbk_watch_say(&cluster->watch, "start the private PostgreSQL again: %s",
                      err.text);
    return false;
}

/* False when it is to stop. */
static bool sleep_until_stopped(struct dbk_cluster *cluster, int ms)
{
    dbk_deadline deadline = dbk_deadline_in(ms);
    bool go_on;

    pthread_mutex_lock(&cluster->mutex);
    while (!cluster->stopping &&
           dbk_cond_wait(&cluster->changed, &cluster->mutex, deadline))
        ;
    go_on = !cluster->stopping;
    pthread_mutex_unlock(&cluster->mutex);
    return go_on;
}

static void *watch(void *argument)
{
    struct dbk_cluster *cluster = argument;
    int wait_ms = WATCH_MS;

    while (sleep_until_stopped(cluster, wait_ms)) {
        wait_ms = WATCH_MS;
        if (cluster->owner && cluster_server_keep(&cluster->server))
            tell_of_death(cluster);
        if (!cluster->owner && !take_over(cluster))
            wait_ms = AGAIN_MS;
    }
    return NULL;
}

static enum dbk_code start_watching(struct dbk_cluster *cluster, struct dbk_error *err)
{
    enum dbk_code code =
        dbk_thread_start(&cluster->thread, "dbk-cluster", watch, cluster, err);

    cluster->watched = code == DBK_OK;
    return code;
}

static enum dbk_code find_place(struct dbk_cluster *cluster, struct dbk_error *err)
{
    const struct dbk_cluster_options *options = &cluster->options;
    enum dbk_code code;

    if (!realpath(options->data_dir, cluster->data_dir))
        return dbk_fail(err, DBK_IO, "open %s: %s", options->data_dir, strerror(errno));
    code =
        cluster_place_find(cluster->data_dir, &options->store_id, &cluster->place, err);
    cluster->database = (struct dbk_database){.host = cluster->place.socket_dir,
                                              .port = CLUSTER_PORT,
                                              .name = "postgres",
                                              .user = "daybook"};
    return code;
}

static enum dbk_code open_cluster(struct dbk_cluster *cluster, struct dbk_error *err)
{
    bool only = cluster->options.attach_only;
    enum dbk_code code = find_place(cluster, err);

    if (code == DBK_OK)
        code = cluster_lock_open(cluster->data_dir, !only, &cluster->lock, err);
    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, DBK_UNAVAILABLE, "no private PostgreSQL runs for %s",
                        cluster->data_dir);
    if (code == DBK_OK)
        code = start_or_attach(cluster, err);
    if (code == DBK_OK && !only)
        code = start_watching(cluster, err);
    cluster->seen = cluster_server_pid(&cluster->place);
    return code;
}

enum dbk_code dbk_cluster_open(const struct dbk_cluster_options *options,
                               struct dbk_cluster **cluster, struct dbk_error *err)
{
    struct dbk_cluster *made = calloc(1, sizeof *made);
    struct dbk_error unwanted;
    enum dbk_code code;

    err = err ? err : &unwanted;
    *cluster = NULL;
    if (!made)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    /* It is reached as we say, whoever calls; the program has done so at its start. */
    dbk_database_environment(true, NULL, NULL);
    made->lock = -1;
    made->options = *options;
    made->watch =
        (struct dbk_watch){.report = tell_line, .stop = enough, .context = made};
    pthread_mutex_init(&made->mutex, NULL);
    dbk_cond_init(&made->changed);
    code = open_cluster(made, err);
    if (code == DBK_OK)
        *cluster = made;
    else
        dbk_cluster_close(made);
    return code;
}

const struct dbk_database *dbk_cluster_database(const struct dbk_cluster *cluster)
{
    return &cluster->database;
}

bool dbk_cluster_restarted(struct dbk_cluster *cluster)
{
    dbk_deadline deadline = dbk_deadline_in(READY_MS);
    pid_t before = cluster->seen;

    while (!pg_answers(&cluster->database)) {
        if (dbk_deadline_left(deadline) == 0 || enough(cluster))
            return false;
        dbk_sleep_ms(POLL_MS);
    }
    cluster->seen = cluster_server_pid(&cluster->place);
    return cluster->seen != before;
}

void dbk_cluster_close(struct dbk_cluster *cluster)
{
    if (!cluster)
        return;
    if (cluster->watched) {
        pthread_mutex_lock(&cluster->mutex);
        cluster->stopping = true;
        pthread_cond_broadcast(&cluster->changed);
        pthread_mutex_unlock(&cluster->mutex);
        pthread_join(cluster->thread, NULL);
    }
    if (cluster->owner)
        cluster_server_end(&cluster->server);
    if (cluster->lock >= 0) {
        cluster_lock_disown(cluster->lock);
        close(cluster->lock);
    }
    pthread_mutex_destroy(&cluster->mutex);
    pthread_cond_destroy(&cluster->changed);
    free(cluster);
}
