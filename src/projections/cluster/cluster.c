#include "projections/cluster.h"

#include "cluster_files.h"
#include "cluster_keeper.h"
#include "cluster_lock.h"
#include "cluster_place.h"
#include "cluster_programs.h"
#include "pg.h"
#include "store/clock.h"
#include "store/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 20, READY_MS = 60000, ATTACH_MS = 5000, DEATHS_MAX = 8 };
enum { WATCH_MS = 200, AGAIN_MS = 2000 };

struct dbk_cluster {
    char data_dir[PATH_MAX];
    struct dbk_cluster_options options; /* data_dir and what it points to not kept */
    struct cluster_caller caller;
    struct cluster_lock lock;
    char socket_dir[CLUSTER_SOCKET_DIR]; /* never changes once it is open */
    struct dbk_database database;

    /* Of whoever starts the server: who opens it, then the watching thread. */
    struct cluster_place place; /* zero where another process has started it */
    struct cluster_programs programs;
    pid_t keeper;    /* our child, to be waited for; 0: none */
    unsigned deaths; /* that were told */

    bool watched; /* the thread runs */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    bool stopping;
};

static bool is_stopping(struct dbk_cluster *self)
{
    bool stopping;

    pthread_mutex_lock(&self->mutex);
    stopping = self->stopping;
    pthread_mutex_unlock(&self->mutex);
    return stopping;
}

static bool enough(void *context)
{
    struct dbk_cluster *self = context;

    return is_stopping(self) ||
           (self->options.stop && self->options.stop(self->options.report_context));
}

static void tell_line(void *context, const char *line)
{
    struct dbk_cluster *self = context;

    if (self->options.report)
        self->options.report(self->options.report_context, line);
}

static void set_database(struct dbk_cluster *self)
{
    self->database = (struct dbk_database){.host = self->socket_dir,
                                           .port = CLUSTER_PORT,
                                           .name = "postgres",
                                           .user = "daybook"};
}

static unsigned deaths_so_far(const struct dbk_cluster *self)
{
    char unused[CLUSTER_SOCKET_DIR];

    return cluster_lock_read(&self->lock, unused);
}

static enum dbk_code wait_until_ready(struct dbk_cluster *self, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(READY_MS);
    char tail[256];

    while (dbk_deadline_left(deadline) > 0) {
        if (enough(self))
            return dbk_fail(err, DBK_INTERRUPTED, "stopped");
        if (dbk_pg_answers(&self->database))
            return DBK_OK;
        if (deaths_so_far(self) >= DEATHS_MAX)
            break;
        dbk_sleep_ms(POLL_MS);
    }
    cluster_log_tail(&self->place, tail, sizeof tail);
    return dbk_fail(err, DBK_TIMEOUT,
                    "the private PostgreSQL does not accept connections; its log %s "
                    "ends: %s",
                    self->place.log, tail);
}

/* A cluster of this version that these programs can run: the one there is, or a new
 * one. Nothing is lost with the old one, its tables come from the log. */
static enum dbk_code provide_cluster(struct dbk_cluster *self, struct dbk_error *err)
{
    int version = cluster_version(&self->place);

    if (cluster_programs_find(version, &self->programs, err) != DBK_OK)
        return err ? err->code : DBK_NOT_FOUND;
    if (version > 0 && self->programs.major > 0 && version != self->programs.major) {
        cluster_say(
            &self->caller,
            "the cluster is of PostgreSQL %d, installed is %d: setting it aside",
            version, self->programs.major);
        if (cluster_set_aside(&self->place, version, err) != DBK_OK)
            return DBK_IO;
        version = 0;
    }
    if (version > 0)
        return DBK_OK;
    return cluster_make(&self->place, &self->programs, &self->caller, err);
}

/* The first time. Started again, other threads connect all the while, so it must stay. */
static enum dbk_code take_socket_dir(struct dbk_cluster *self, const char *last,
                                     struct dbk_error *err)
{
    if (cluster_place_socket(&self->place, last, err) != DBK_OK)
        return err->code;
    if (self->socket_dir[0]) {
        if (strcmp(self->socket_dir, self->place.socket_dir) == 0)
            return DBK_OK;
        return dbk_fail(err, DBK_IO, "the directory %s of its socket is gone",
                        self->socket_dir);
    }
    memcpy(self->socket_dir, self->place.socket_dir, sizeof self->socket_dir);
    set_database(self);
    return DBK_OK;
}

/* With the keeper's lock claimed. */
static enum dbk_code start_keeper(struct dbk_cluster *self, struct dbk_error *err)
{
    char last[CLUSTER_SOCKET_DIR];
    enum dbk_code code;

    cluster_lock_read(&self->lock, last);
    code = cluster_lock_tell(&self->lock, "", err);
    if (code == DBK_OK)
        code = cluster_place_find(self->data_dir, &self->options.store_id,
                                  &self->caller, &self->place, err);
    if (code == DBK_OK)
        code = cluster_end_leftover(&self->place, &self->caller, err);
    if (code == DBK_OK)
        code = provide_cluster(self, err);
    if (code == DBK_OK)
        code = take_socket_dir(self, last, err);
    if (code == DBK_OK)
        code = cluster_lock_tell(&self->lock, self->socket_dir, err);
    if (code == DBK_OK)
        code = cluster_keeper_start(&self->place, &self->programs, &self->lock,
                                    &self->keeper, err);
    return code;
}

static enum dbk_code start(struct dbk_cluster *self, struct dbk_error *err)
{
    enum dbk_code code = start_keeper(self, err);

    cluster_lock_unclaim(&self->lock); /* the keeper's part stays */
    if (code == DBK_OK)
        code = wait_until_ready(self, err);
    if (code == DBK_OK)
        cluster_say(&self->caller, "private PostgreSQL runs, socket in %s",
                    self->socket_dir);
    return code;
}

static bool try_attach(struct dbk_cluster *self)
{
    self->deaths = cluster_lock_read(&self->lock, self->socket_dir);
    set_database(self);
    if (self->socket_dir[0] == '/' && dbk_pg_answers(&self->database))
        return true;
    self->socket_dir[0] = '\0';
    return false;
}

/* Start it or attach to it. One that is just starting or ending is waited for, not so
 * long by those who only ask. */
static enum dbk_code start_or_attach(struct dbk_cluster *self, struct dbk_error *err)
{
    bool only = self->options.attach_only, joined = false, mine = false;
    dbk_deadline deadline = dbk_deadline_in(only ? ATTACH_MS : READY_MS);

    while (dbk_deadline_left(deadline) > 0) {
        if (enough(self))
            return dbk_fail(err, DBK_INTERRUPTED, "stopped");
        if (only && !cluster_lock_kept(&self->lock))
            return dbk_fail(
                err, DBK_UNAVAILABLE,
                "no private PostgreSQL runs for %s: start it with \"daybook "
                "serve\"",
                self->data_dir);
        joined = joined || cluster_lock_join(&self->lock);
        if (joined && !only && cluster_lock_claim(&self->lock, &mine, err) != DBK_OK)
            return err->code;
        if (mine)
            return start(self, err);
        if (joined && try_attach(self))
            return DBK_OK;
        dbk_sleep_ms(POLL_MS);
    }
    return dbk_fail(
        err, DBK_TIMEOUT,
        "another process runs the private PostgreSQL of %s, but it does not "
        "accept connections",
        self->data_dir);
}

static void tell_of_deaths(struct dbk_cluster *self)
{
    unsigned deaths = deaths_so_far(self);
    char tail[256] = "";

    if (deaths > self->deaths) {
        if (self->place.log[0])
            cluster_log_tail(&self->place, tail, sizeof tail);
        cluster_say(&self->caller, "PostgreSQL ended (%s): starting it again", tail);
    }
    self->deaths = deaths;
}

/* Its keeper was killed. Whoever sees it first starts another. False where that failed.
 */
static bool start_again(struct dbk_cluster *self)
{
    struct dbk_error err = {0};
    bool mine = false;

    if (cluster_lock_claim(&self->lock, &mine, &err) == DBK_OK) {
        if (!mine)
            return true;
        cluster_say(&self->caller,
                    "the keeper of the private PostgreSQL is gone: starting it again");
        if (start(self, &err) == DBK_OK)
            return true;
    }
    if (err.code != DBK_INTERRUPTED)
        cluster_say(&self->caller, "start the private PostgreSQL again: %s", err.text);
    return false;
}

static void reap_keeper(struct dbk_cluster *self)
{
    if (self->keeper > 0 && waitpid(self->keeper, NULL, WNOHANG) == self->keeper)
        self->keeper = 0;
}

/* False when it is to stop. */
static bool sleep_until_stopped(struct dbk_cluster *self, int ms)
{
    dbk_deadline until = dbk_deadline_in(ms);
    bool go_on;

    pthread_mutex_lock(&self->mutex);
    while (!self->stopping && dbk_cond_wait(&self->changed, &self->mutex, until))
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
        reap_keeper(self);
        tell_of_deaths(self);
        wait_ms = WATCH_MS;
        if (!cluster_lock_kept(&self->lock) && !start_again(self))
            wait_ms = AGAIN_MS;
    }
    return NULL;
}

static enum dbk_code start_watching(struct dbk_cluster *self, struct dbk_error *err)
{
    self->watched =
        dbk_thread_start(&self->thread, "dbk-cluster", watch, self, err) == DBK_OK;
    return self->watched ? DBK_OK : DBK_IO;
}

static enum dbk_code open_lock(struct dbk_cluster *self, struct dbk_error *err)
{
    enum dbk_code code =
        cluster_lock_open(self->data_dir, !self->options.attach_only, &self->lock, err);

    if (code == DBK_NOT_FOUND)
        return dbk_fail(err, DBK_UNAVAILABLE, "no private PostgreSQL runs for %s",
                        self->data_dir);
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
    self->lock.user = self->lock.keeper = -1;
    self->options = *options;
    self->caller =
        (struct cluster_caller){.line = tell_line, .enough = enough, .context = self};
    pthread_mutex_init(&self->mutex, NULL);
    dbk_cond_init(&self->changed);
    if (!realpath(options->data_dir, self->data_dir))
        code = dbk_fail(err, DBK_IO, "open %s: %s", options->data_dir, strerror(errno));
    else
        code = open_lock(self, err);
    if (code == DBK_OK)
        code = start_or_attach(self, err);
    if (code == DBK_OK && !options->attach_only)
        code = start_watching(self, err);
    if (code != DBK_OK) {
        dbk_cluster_close(self);
        return code;
    }
    *cluster = self;
    return DBK_OK;
}

const struct dbk_database *dbk_cluster_database(const struct dbk_cluster *cluster)
{
    return &cluster->database;
}

static void stop_watching(struct dbk_cluster *self)
{
    if (!self->watched)
        return;
    pthread_mutex_lock(&self->mutex);
    self->stopping = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
    pthread_join(self->thread, NULL);
}

/* The last one waits for the end: what comes next may delete the directory. */
static void leave(struct dbk_cluster *self)
{
    dbk_deadline deadline = dbk_deadline_in(CLUSTER_END_MS);

    if (self->lock.user < 0)
        return;
    cluster_lock_leave(&self->lock);
    while (cluster_lock_kept(&self->lock) && !cluster_lock_shared(&self->lock) &&
           dbk_deadline_left(deadline) > 0)
        dbk_sleep_ms(POLL_MS);
    reap_keeper(self);
}

void dbk_cluster_close(struct dbk_cluster *cluster)
{
    if (!cluster)
        return;
    stop_watching(cluster);
    leave(cluster);
    cluster_lock_close(&cluster->lock);
    pthread_mutex_destroy(&cluster->mutex);
    pthread_cond_destroy(&cluster->changed);
    free(cluster);
}
