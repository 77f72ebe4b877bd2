#include "cluster_supervisor.h"

#include "cluster_files.h"
#include "projections/cluster.h"
#include "thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FAST_MS = 15000, IMMEDIATE_MS = 5000, PAUSE_MIN_MS = 100, PAUSE_MAX_MS = 2000 };
enum { LIVED_WELL_S = 30 };

/* For read tables that can be made again, on a machine that has other work: little
 * memory, commits that need not wait for the disk. fsync stays on, so that a power cut
 * loses the last moments but never mixes old pages with new. */
static const char *const settings[] = {
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "shared_buffers=128MB",
    "synchronous_commit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=512MB",
    "wal_compression=on",
    "jit=off",
    "timezone=UTC",
    "lc_messages=C",
    "log_destination=stderr",
    "logging_collector=off",
    "log_min_messages=log",
    "log_checkpoints=off",
    "log_autovacuum_min_duration=-1",
    "log_timezone=UTC",
};
enum { SETTINGS = sizeof settings / sizeof settings[0] };

enum { OTHERS_MAX = 44 }; /* connections of projectors, commands and people */

struct cluster_supervisor {
    const struct cluster_place *place; /* borrowed */
    struct cluster_report report;
    char postgres[PATH_MAX];
    char socket_setting[CLUSTER_SOCKET_DIR + 32];
    char connections_setting[32];
    const char *argv[6 + 2 * (SETTINGS + 2)];
    pthread_t thread;

    pthread_mutex_t lock; /* guards the rest */
    pthread_cond_t changed;
    bool stopping;
    bool ended; /* the thread is on its way out, no server runs */
    pid_t pid;  /* 0: no server runs */
    unsigned deaths;
};

static void set_arguments(struct cluster_supervisor *self)
{
    size_t n = 0;

    /* Quoted: PostgreSQL reads a list here. */
    snprintf(self->socket_setting, sizeof self->socket_setting,
             "unix_socket_directories=\"%s\"", self->place->socket_dir);
    self->argv[n++] = self->postgres;
    self->argv[n++] = "-D"; /* first: so a leftover is recognised by it */
    self->argv[n++] = self->place->dir;
    self->argv[n++] = "-p";
    self->argv[n++] = CLUSTER_PORT;
    self->argv[n++] = "-c";
    self->argv[n++] = self->socket_setting;
    snprintf(self->connections_setting, sizeof self->connections_setting,
             "max_connections=%d", DBK_CLUSTER_READS_MAX + OTHERS_MAX);
    self->argv[n++] = "-c";
    self->argv[n++] = self->connections_setting;
    for (size_t i = 0; i < SETTINGS; i++) {
        self->argv[n++] = "-c";
        self->argv[n++] = settings[i];
    }
    self->argv[n] = NULL;
}

/* With the lock held: start the server, unless we are stopping. */
static pid_t start_server(struct cluster_supervisor *self)
{
    struct dbk_error err;
    pid_t pid = 0;
    int log_fd;

    if (self->stopping)
        return 0;
    log_fd = cluster_log_open(self->place);
    if (log_fd < 0) {
        cluster_say(&self->report, "open %s: %s", self->place->log, strerror(errno));
        return 0;
    }
    if (cluster_spawn(&self->place->user, self->argv, log_fd, &pid, &err) != DBK_OK) {
        cluster_say(&self->report, "%s", err.text);
        pid = 0;
    }
    close(log_fd);
    return pid;
}

/* True where nobody asked it to end. The child is reaped with the lock held, so that
 * nobody signals a number that is another's by then. */
static bool wait_for_death(struct cluster_supervisor *self, pid_t pid, int *status)
{
    siginfo_t info;
    bool unexpected;

    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&self->lock);
    waitpid(pid, status, 0);
    self->pid = 0;
    unexpected = !self->stopping;
    self->deaths += unexpected;
    pthread_mutex_unlock(&self->lock);
    return unexpected;
}

static void say_died(struct cluster_supervisor *self, int status)
{
    char tail[256];

    if (WIFSIGNALED(status)) {
        cluster_say(&self->report,
                    "PostgreSQL was ended by signal %d: starting it again",
                    WTERMSIG(status));
        return;
    }
    cluster_log_tail(self->place, tail, sizeof tail);
    cluster_say(&self->report, "PostgreSQL ended (%s): starting it again", tail);
}

/* Its backends may hold on to the shared memory for a moment: each try waits longer. */
static bool pause_before_restart(struct cluster_supervisor *self, int *pause_ms)
{
    struct timespec until = thread_until(dbk_deadline_in(*pause_ms));
    bool go_on;

    *pause_ms = *pause_ms * 2 < PAUSE_MAX_MS ? *pause_ms * 2 : PAUSE_MAX_MS;
    pthread_mutex_lock(&self->lock);
    while (!self->stopping &&
           pthread_cond_timedwait(&self->changed, &self->lock, &until) == 0)
        ;
    go_on = !self->stopping;
    pthread_mutex_unlock(&self->lock);
    return go_on;
}

static void run_server_once(struct cluster_supervisor *self, int *pause_ms)
{
    time_t started = time(NULL);
    int status = 0;
    pid_t pid;

    pthread_mutex_lock(&self->lock);
    pid = self->pid = start_server(self);
    self->deaths += pid == 0;
    pthread_mutex_unlock(&self->lock);
    if (pid == 0 || !wait_for_death(self, pid, &status))
        return;
    say_died(self, status);
    if (time(NULL) - started > LIVED_WELL_S)
        *pause_ms = PAUSE_MIN_MS;
}

static void *supervise(void *argument)
{
    struct cluster_supervisor *self = (struct cluster_supervisor *)argument;
    int pause_ms = PAUSE_MIN_MS;

    do
        run_server_once(self, &pause_ms);
    while (pause_before_restart(self, &pause_ms));
    pthread_mutex_lock(&self->lock);
    self->ended = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return NULL;
}

static void destroy(struct cluster_supervisor *self)
{
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->changed);
    free(self);
}

enum dbk_code cluster_supervisor_start(const struct cluster_place *place,
                                       const struct cluster_programs *programs,
                                       const struct cluster_report *report,
                                       struct cluster_supervisor **supervisor,
                                       struct dbk_error *err)
{
    struct cluster_supervisor *self = calloc(1, sizeof *self);
    int rc;

    *supervisor = NULL;
    if (!self)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    self->place = place;
    self->report = *report;
    memcpy(self->postgres, programs->postgres, sizeof self->postgres);
    set_arguments(self);
    pthread_mutex_init(&self->lock, NULL);
    thread_init_cond(&self->changed);
    rc = thread_start(&self->thread, supervise, self);
    if (rc != 0) {
        destroy(self);
        return dbk_fail(err, DBK_IO, "start a thread: %s", strerror(rc));
    }
    *supervisor = self;
    return DBK_OK;
}

unsigned cluster_supervisor_deaths(struct cluster_supervisor *supervisor)
{
    unsigned deaths;

    pthread_mutex_lock(&supervisor->lock);
    deaths = supervisor->deaths;
    pthread_mutex_unlock(&supervisor->lock);
    return deaths;
}

/* With the lock held. False where it has not ended in time; timeout_ms < 0: for ever.
 */
static bool end_server(struct cluster_supervisor *self, int signal_number,
                       int timeout_ms)
{
    struct timespec until =
        thread_until(dbk_deadline_in(timeout_ms < 0 ? 0 : timeout_ms));

    if (self->pid > 0)
        kill(self->pid, signal_number);
    while (!self->ended) {
        if (timeout_ms < 0)
            pthread_cond_wait(&self->changed, &self->lock);
        else if (pthread_cond_timedwait(&self->changed, &self->lock, &until) != 0)
            return self->ended;
    }
    return true;
}

void cluster_supervisor_stop(struct cluster_supervisor *supervisor)
{
    if (!supervisor)
        return;
    pthread_mutex_lock(&supervisor->lock);
    supervisor->stopping = true;
    pthread_cond_broadcast(&supervisor->changed);
    if (!end_server(supervisor, SIGINT, FAST_MS) &&
        !end_server(supervisor, SIGQUIT, IMMEDIATE_MS))
        end_server(supervisor, SIGKILL, -1);
    pthread_mutex_unlock(&supervisor->lock);
    pthread_join(supervisor->thread, NULL);
    destroy(supervisor);
}
