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
    struct dbk_cluster *self = context;
    bool stopping;

    pthread_mutex_lock(&self->mutex);
    stopping = self->stopping;
    pthread_mutex_unlock(&self->mutex);
    return stopping || dbk_watch_stops(&self->options.watch);
}

static void tell_line(void *context, const char *line)
{
    const struct dbk_cluster *self = context;

    dbk_watch_say(&self->options.watch, "%s", line);
}

static void tell_of_death(const struct dbk_cluster *self)
{
    char tail[256];

    cluster_log_tail(&self->place, tail, sizeof tail);
    dbk_watch_say(&self->watch, "PostgreSQL ended (%s): starting it again", tail);
}

/* As the owner. */
static enum dbk_code wait_until_ready(struct dbk_cluster *self, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(READY_MS);
    char tail[256];

    while (dbk_deadline_left(deadline) > 0 && self->server.deaths < DEATHS_MAX) {
        if (enough(self))
            return dbk_fail(err, DBK_INTERRUPTED, "stopped");
        cluster_server_keep(&self->server);
        if (dbk_pg_answers(&self->database))
            return DBK_OK;
        dbk_sleep_ms(POLL_MS);
    }
    cluster_log_tail(&self->place, tail, sizeof tail);
    return dbk_fail(err, DBK_TIMEOUT,
                    "the private PostgreSQL does not accept connections; its log %s "
                    "ends: %s",
                    self->place.log, tail);
}

/* Nothing is lost with it, its tables come from the log. What lies there under that name
 * is not written over. */
static enum dbk_code set_aside(struct dbk_cluster *self, const char *name,
                               struct dbk_error *err)
{
    enum dbk_code code = cluster_set_aside(&self->place, name, err);

    if (code == DBK_OK)
        dbk_watch_say(&self->watch, "the cluster %s is set aside as %s",
                      self->place.dir, name);
    return code;
}

/* A cluster of this version that these programs can run: the one there is, or a new
 * one. */
static enum dbk_code provide_cluster(struct dbk_cluster *self, struct dbk_error *err)
{
    struct cluster_programs *programs = &self->server.programs;
    int version = cluster_version(&self->place);
    char name[64] = DAMAGED;
    enum dbk_code code = cluster_programs_find(version, programs, err);

    if (code != DBK_OK)
        return code;
    if (version > 0 && (programs->major == 0 || version == programs->major))
        return DBK_OK;
    if (version > 0) {
        snprintf(name, sizeof name, "postgres.version-%d.%ld", version,
                 (long)time(NULL));
        dbk_watch_say(&self->watch, "the cluster is of PostgreSQL %d, installed is %d",
                      version, programs->major);
    }
    if (access(self->place.dir, F_OK) == 0)
        code = set_aside(self, name, err);
    if (code == DBK_OK)
        code = cluster_make(&self->place, programs, &self->watch, err);
    return code;
}

static enum dbk_code start_once(struct dbk_cluster *self, struct dbk_error *err)
{
    enum dbk_code code;

    self->server = (struct cluster_server){.place = &self->place, .lock = self->lock};
    code = cluster_place_make(&self->place, err);
    if (code == DBK_OK)
        code = cluster_server_end_leftover(&self->server, &self->watch, err);
    if (code == DBK_OK)
        code = provide_cluster(self, err);
    if (code == DBK_OK)
        code = wait_until_ready(self, err);
    return code;
}

/* As the owner, who is no owner any more where that fails. */
static enum dbk_code start(struct dbk_cluster *self, struct dbk_error *err)
{
    enum dbk_code code;

    if (self->place.outside)
        dbk_watch_say(&self->watch,
                      "PostgreSQL cannot reach %s as uid %u: its files are in %s",
                      self->data_dir, (unsigned)self->place.user.uid, self->place.base);
    code = start_once(self, err);
    if (self->server.deaths >= DEATHS_MAX && cluster_has_room(&self->place) &&
        set_aside(self, DAMAGED, NULL) == DBK_OK)
        code = start_once(self, err);
    self->owner = code == DBK_OK;
    if (self->owner) {
        dbk_watch_say(&self->watch, "private PostgreSQL runs, socket in %s",
                      self->place.socket_dir);
    } else {
        cluster_server_end(&self->server);
        cluster_lock_disown(self->lock);
    }
    return code;
}

/* Start it or attach to it. One that is just starting or ending is waited for, not so
 * long by those who only ask. */
static enum dbk_code start_or_attach(struct dbk_cluster *self, struct dbk_error *err)
{
    bool only = self->options.attach_only, mine = false;
    dbk_deadline deadline = dbk_deadline_in(only ? ATTACH_MS : READY_MS);

    while (dbk_deadline_left(deadline) > 0) {
        if (enough(self))
            return dbk_fail(err, DBK_INTERRUPTED, "stopped");
        if (only && !cluster_lock_owned(self->lock))
            return dbk_fail(
                err, DBK_UNAVAILABLE,
                "no private PostgreSQL runs for %s: start it with \"daybook "
                "serve\"",
                self->data_dir);
        if (!only && cluster_lock_own(self->lock, &mine, err) != DBK_OK)
            return DBK_IO;
        if (mine)
            return start(self, err);
        if (dbk_pg_answers(&self->database))
            return DBK_OK;
        dbk_sleep_ms(POLL_MS);
    }
    return dbk_fail(
        err, DBK_TIMEOUT,
        "another process runs the private PostgreSQL of %s, but it does not "
        "accept connections",
        self->data_dir);
}

/* Its owner has ended. Whoever sees it first starts another. False where that failed. */
static bool take_over(struct dbk_cluster *self)
{
    struct dbk_error err = {0};
    bool mine = false;

    assert(!self->owner && self->server.pid == 0);
    if (cluster_lock_own(self->lock, &mine, &err) == DBK_OK) {
        if (!mine)
            return true;
        dbk_watch_say(&self->watch, "the process that ran the private PostgreSQL is "
                                    "gone: starting it again");
        if (start(self, &err) == DBK_OK)
            return true;
    }
    if (err.code != DBK_INTERRUPTED)
        dbk_watch_say(&self->watch, "start the private PostgreSQL again: %s", err.text);
    return false;
}

/* False when it is to stop. */
static bool sleep_until_stopped(struct dbk_cluster *self, int ms)
{
    dbk_deadline deadline = dbk_deadline_in(ms);
    bool go_on;

    pthread_mutex_lock(&self->mutex);
    while (!self->stopping && dbk_cond_wait(&self->changed, &self->mutex, deadline))
        ;
    go_on = !self->stopping;
    pthread_mutex_unlock(&self->mutex);
    return go_on;
}

static void *watch(void *argument)
{
    struct dbk_cluster *self = argument;
    int wait_ms = WATCH_MS;

    while (sleep_until_stopped(self, wait_ms)) {
        wait_ms = WATCH_MS;
        if (self->owner && cluster_server_keep(&self->server))
            tell_of_death(self);
        if (!self->owner && !take_over(self))
            wait_ms = AGAIN_MS;
    }
    return NULL;
}

static enum dbk_code start_watching(struct dbk_cluster *self, struct dbk_error *err)
{
    enum dbk_code code =
        dbk_thread_start(&self->thread, "dbk-cluster", watch, self, err);

    self->watched = code == DBK_OK;
    return code;
}

static enum dbk_code find_place(struct dbk_cluster *self, struct dbk_error *err)
{
    const struct dbk_cluster_options *options = &self->options;
    enum dbk_code code;

    if (!realpath(options->data_dir, self->data_dir))
        return dbk_fail(err, DBK_IO, "open %s: %s", options->data_dir, strerror(errno));
    code = cluster_place_find(self->data_dir, &options->store_id, &self->place, err);
    self->database = (struct dbk_database){.host = self->place.socket_dir,
                                           .port = CLUSTER_PORT,
                                           .name = "postgres",
                                           .user = "daybook"};
    return code;
}

static enum dbk_code open_cluster(struct dbk_cluster *self, struct dbk_error *err)
{
    bool only = self->options.attach_only;
    enum dbk_code code = find_place(self, err);

    if (code == DBK_OK)
        code = cluster_lock_open(self->data_dir, !only, &self->lock, err);
    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, DBK_UNAVAILABLE, "no private PostgreSQL runs for %s",
                        self->data_dir);
    if (code == DBK_OK)
        code = start_or_attach(self, err);
    if (code == DBK_OK && !only)
        code = start_watching(self, err);
    self->seen = cluster_server_pid(&self->place);
    return code;
}

enum dbk_code dbk_cluster_open(const struct dbk_cluster_options *options,
                               struct dbk_cluster **cluster, struct dbk_error *err)
{
    struct dbk_cluster *self = calloc(1, sizeof *self);
    struct dbk_error unwanted;
    enum dbk_code code;

    err = err ? err : &unwanted;
    *cluster = NULL;
    if (!self)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    self->lock = -1;
    self->options = *options;
    self->watch =
        (struct dbk_watch){.report = tell_line, .stop = enough, .context = self};
    pthread_mutex_init(&self->mutex, NULL);
    dbk_cond_init(&self->changed);
    code = open_cluster(self, err);
    if (code == DBK_OK)
        *cluster = self;
    else
        dbk_cluster_close(self);
    return code;
}

const struct dbk_database *dbk_cluster_database(const struct dbk_cluster *cluster)
{
    return &cluster->database;
}

bool dbk_cluster_restarted(struct dbk_cluster *self)
{
    dbk_deadline deadline = dbk_deadline_in(READY_MS);
    pid_t before = self->seen;

    while (!dbk_pg_answers(&self->database)) {
        if (dbk_deadline_left(deadline) == 0 || enough(self))
            return false;
        dbk_sleep_ms(POLL_MS);
    }
    self->seen = cluster_server_pid(&self->place);
    return self->seen != before;
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
