#include "projections/cluster.h"

#include "cluster_files.h"
#include "cluster_lock.h"
#include "cluster_private.h"
#include "cluster_room.h"
#include "pg.h"
#include "store/thread.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POLL_MS = 20, READY_MS = 60000, ATTACH_MS = 5000, FIRST_MS = 30000 };
enum { DAMAGE_FORGOT_MS = 60000 };

bool cluster_stops(void *context)
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

void cluster_set_trouble(struct dbk_cluster *cluster, const char *why)
{
    pthread_mutex_lock(&cluster->mutex);
    snprintf(cluster->trouble, sizeof cluster->trouble, "%.*s",
             (int)sizeof cluster->trouble - 1, why ? why : "");
    pthread_mutex_unlock(&cluster->mutex);
}

bool dbk_cluster_away(struct dbk_cluster *cluster, char *why, size_t size)
{
    const char *text = cluster->trouble;
    bool away;

    pthread_mutex_lock(&cluster->mutex);
    if (!*text)
        text = cluster->held;
    away = *text;
    if (away && size > 0)
        snprintf(why, size, "%s", text);
    pthread_mutex_unlock(&cluster->mutex);
    return away;
}

bool dbk_cluster_full(struct dbk_cluster *cluster, char *why, size_t size)
{
    bool full;

    pthread_mutex_lock(&cluster->mutex);
    full = *cluster->held;
    if (full && size > 0)
        snprintf(why, size, "%s", cluster->held);
    pthread_mutex_unlock(&cluster->mutex);
    return full;
}

/* From whatever thread has run the statement. */
static void note_damage(void *context, bool certain, const char *what)
{
    struct dbk_cluster *cluster = context;

    pthread_mutex_lock(&cluster->mutex);
    if (dbk_deadline_left(cluster->damages_forgot) == 0)
        cluster->damages = 0;
    /* What is certain comes again before it counts, what is not, many times. */
    cluster->damages += certain ? 5 : 1;
    cluster->damages_forgot = dbk_deadline_in(DAMAGE_FORGOT_MS);
    snprintf(cluster->damage, sizeof cluster->damage, "%.*s",
             (int)sizeof cluster->damage - 1, what);
    pthread_mutex_unlock(&cluster->mutex);
}

static enum dbk_code none_runs(const struct dbk_cluster *cluster, struct dbk_error *err)
{
    return dbk_fail(err, DBK_UNAVAILABLE,
                    "no private PostgreSQL runs for %s: start it with \"daybook "
                    "serve\"",
                    cluster->data_dir);
}

/* Start it or attach to it. One that is just starting or ending is waited for, not so
 * long by those who only ask. */
static enum dbk_code start_or_attach(struct dbk_cluster *cluster, struct dbk_error *err)
{
    bool only = cluster->options.attach_only, mine = false;
    dbk_deadline deadline = dbk_deadline_in(only ? ATTACH_MS : READY_MS);

    while (dbk_deadline_left(deadline) > 0) {
        if (cluster_stops(cluster))
            return dbk_fail(err, DBK_INTERRUPTED, "stopped");
        if (only && !cluster_lock_owned(cluster->lock))
            return none_runs(cluster, err);
        if (!only && cluster_lock_own(cluster->lock, &mine, err) != DBK_OK)
            return DBK_IO;
        if (mine) {
            cluster_lock_name(cluster->lock, &cluster->place);
            return cluster_start(cluster, NULL, err);
        }
        if (!cluster_lock_is_for(cluster->lock, &cluster->place))
            return dbk_fail(
                err, DBK_CONFLICT,
                "%s holds the private PostgreSQL of another log, which runs: "
                "give each its own CLUSTER_DIR",
                cluster->place.base);
        cluster->attached = pg_answers(&cluster->database);
        if (cluster->attached)
            return DBK_OK;
        dbk_sleep_ms(POLL_MS);
    }
    return dbk_fail(
        err, DBK_TIMEOUT,
        "another process runs the private PostgreSQL of %s, but it does not "
        "accept connections",
        cluster->data_dir);
}

static enum dbk_code start_watching(struct dbk_cluster *cluster, struct dbk_error *err)
{
    enum dbk_code code =
        dbk_thread_start(&cluster->thread, "dbk-cluster", cluster_watch, cluster, err);

    cluster->watched = code == DBK_OK;
    return code;
}

static enum dbk_code find_place(struct dbk_cluster *cluster, struct dbk_error *err)
{
    const struct dbk_cluster_options *options = &cluster->options;
    enum dbk_code code;

    if (!realpath(options->data_dir, cluster->data_dir))
        return dbk_fail(err, DBK_IO, "open %s: %s", options->data_dir, strerror(errno));
    code = cluster_place_find(cluster->data_dir, options->cluster_dir,
                              &options->store_id, &cluster->place, err);
    cluster->database = (struct dbk_database){.host = cluster->place.socket_dir,
                                              .port = CLUSTER_PORT,
                                              .name = "postgres",
                                              .user = "daybook",
                                              .stop = cluster_stops,
                                              .stop_context = cluster,
                                              .damaged = note_damage,
                                              .damaged_context = cluster};
    return code;
}

/* The thread does it, and goes on where it fails. */
static enum dbk_code open_trying(struct dbk_cluster *cluster, struct dbk_error *err)
{
    dbk_deadline patience = dbk_deadline_in(FIRST_MS);
    bool tried = false;

    cluster_set_trouble(cluster, "the private PostgreSQL is starting");
    if (start_watching(cluster, err) != DBK_OK)
        return err->code;
    while (!tried && dbk_deadline_left(patience) > 0) {
        if (dbk_watch_stops(&cluster->options.watch))
            return dbk_fail(err, DBK_INTERRUPTED, "stopped");
        pthread_mutex_lock(&cluster->mutex);
        if (!cluster->tried)
            dbk_cond_wait(&cluster->changed, &cluster->mutex, dbk_deadline_in(POLL_MS));
        tried = cluster->tried;
        pthread_mutex_unlock(&cluster->mutex);
    }
    return DBK_OK;
}

static enum dbk_code open_or_fail(struct dbk_cluster *cluster, struct dbk_error *err)
{
    bool only = cluster->options.attach_only;
    enum dbk_code code = only ? DBK_OK : cluster_place_make(&cluster->place, err);

    if (code == DBK_OK)
        code = cluster_lock_open(cluster->place.base, !only, &cluster->lock, err);
    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, DBK_UNAVAILABLE, "no private PostgreSQL runs for %s",
                        cluster->data_dir);
    if (code == DBK_OK)
        code = start_or_attach(cluster, err);
    if (code == DBK_OK && !only)
        code = start_watching(cluster, err);
    return code;
}

static enum dbk_code open_cluster(struct dbk_cluster *cluster, struct dbk_error *err)
{
    enum dbk_code code = find_place(cluster, err);

    if (code == DBK_OK)
        code = cluster->options.keep_trying ? open_trying(cluster, err)
                                            : open_or_fail(cluster, err);
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
        (struct dbk_watch){.report = tell_line, .stop = cluster_stops, .context = made};
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
        if (dbk_deadline_left(deadline) == 0 || cluster_stops(cluster))
            return false;
        dbk_sleep_ms(POLL_MS);
    }
    cluster->seen = cluster_server_pid(&cluster->place);
    return cluster->seen != before;
}

enum dbk_code dbk_cluster_size(const struct dbk_cluster_options *options,
                               struct dbk_cluster_size *out, struct dbk_error *err)
{
    char data_dir[PATH_MAX], path[PATH_MAX];
    struct cluster_place place;

    *out = (struct dbk_cluster_size){0};
    if (!realpath(options->data_dir, data_dir))
        return dbk_fail(err, DBK_IO, "open %s: %s", options->data_dir, strerror(errno));
    if (cluster_place_find(data_dir, options->cluster_dir, &options->store_id, &place,
                           err) != DBK_OK ||
        cluster_path(path, place.dir, "pg_wal", err) != DBK_OK)
        return DBK_TOO_LARGE;
    snprintf(out->dir, sizeof out->dir, "%s", place.dir);
    out->bytes = cluster_room_taken(place.dir);
    out->wal_bytes = cluster_room_taken(path);
    if (cluster_path(path, place.base, CLUSTER_DAMAGED, err) != DBK_OK)
        return DBK_TOO_LARGE;
    out->aside_bytes = cluster_room_taken(path);
    return DBK_OK;
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
