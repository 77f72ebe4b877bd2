#include "cluster_keeper.h"

#include "cluster_files.h"
#include "cluster_process.h"
#include "projections/cluster.h"
#include "store/clock.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICK_MS = 50, FAST_MS = 15000, IMMEDIATE_MS = 5000 };
enum { PAUSE_MIN_MS = 100, PAUSE_MAX_MS = 2000, LIVED_WELL_MS = 30000 };

/* For read tables that can be made again, on a machine that has other work: little
 * memory, commits that need not wait for the disk. fsync stays on, so that a power cut
 * loses the last moments but never mixes old pages with new. After a checkpoint pages are
 * written whole to the WAL. To compress them costs more than the disk does, and stops what
 * follows the log for tens of milliseconds: so they are not, and checkpoints are seldom. */
static const char *const settings[] = {
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "shared_buffers=128MB",
    "synchronous_commit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=2GB",
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

/* Made before the fork. What runs behind it is a copy of one thread of many, so it calls
 * only what is safe in a signal handler: no allocation, no stdio. */
struct keeper {
    const struct cluster_place *place; /* borrowed */
    char postgres[PATH_MAX];
    char socket_setting[CLUSTER_SOCKET_DIR + 32];
    char connections_setting[32];
    const char *argv[6 + 2 * (SETTINGS + 2)];

    int lock_fd;
    pid_t pid;             /* 0: no server runs */
    dbk_deadline started;  /* when it was */
    dbk_deadline start_at; /* not before, where none runs */
    int pause_ms;          /* before the start after the next */
    unsigned deaths;
};

static void set_arguments(struct keeper *self)
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

static void pause_a_tick(void)
{
    const struct timespec pause = {.tv_nsec = TICK_MS * 1000000L};

    nanosleep(&pause, NULL);
}

/* Its backends may hold on to the shared memory for a moment: each try waits longer. */
static void count_death(struct keeper *self)
{
    self->pid = 0;
    cluster_lock_mark_death(self->lock_fd, self->place->socket_dir, self->deaths);
    self->deaths++;
    if (dbk_deadline_in(-LIVED_WELL_MS) > self->started)
        self->pause_ms = PAUSE_MIN_MS;
    self->start_at = dbk_deadline_in(self->pause_ms);
    self->pause_ms =
        self->pause_ms * 2 < PAUSE_MAX_MS ? self->pause_ms * 2 : PAUSE_MAX_MS;
}

static void start_server(struct keeper *self)
{
    int log_fd = cluster_log_open(self->place);

    self->started = dbk_deadline_in(0);
    if (log_fd < 0 || cluster_spawn(&self->place->user, self->argv, log_fd, &self->pid,
                                    NULL) != DBK_OK)
        count_death(self);
    if (log_fd >= 0)
        close(log_fd);
}

static bool has_ended(pid_t pid)
{
    pid_t ended = waitpid(pid, NULL, WNOHANG);

    return ended == pid || (ended < 0 && errno != EINTR);
}

/* False where it has not ended in time. */
static bool end_server(const struct keeper *self, int signal_number, int timeout_ms)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);

    kill(self->pid, signal_number);
    while (!has_ended(self->pid)) {
        if (dbk_deadline_left(deadline) == 0)
            return false;
        pause_a_tick();
    }
    return true;
}

static _Noreturn void keep(struct keeper *self)
{
    while (!cluster_lock_end(self->lock_fd)) {
        if (self->pid > 0 && has_ended(self->pid))
            count_death(self);
        if (self->pid <= 0 && dbk_deadline_left(self->start_at) == 0)
            start_server(self);
        pause_a_tick();
    }
    if (self->pid > 0 && !end_server(self, SIGINT, FAST_MS) &&
        !end_server(self, SIGQUIT, IMMEDIATE_MS)) {
        kill(self->pid, SIGKILL);
        while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (self->place->own_socket_dir)
        rmdir(self->place->socket_dir);
    _exit(0);
}

enum dbk_code cluster_keeper_start(const struct cluster_place *place,
                                   const struct cluster_programs *programs,
                                   const struct cluster_lock *lock, pid_t *pid,
                                   struct dbk_error *err)
{
    struct keeper *self = calloc(1, sizeof *self);
    int reason;

    if (!self)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    self->place = place;
    self->pause_ms = PAUSE_MIN_MS;
    memcpy(self->postgres, programs->postgres, sizeof self->postgres);
    set_arguments(self);
    *pid = fork();
    if (*pid == 0) {
        self->lock_fd = cluster_detach(lock->keeper);
        keep(self);
    }
    reason = errno;
    free(self);
    if (*pid < 0)
        return dbk_fail(err, DBK_IO, "start a process: %s", strerror(reason));
    return DBK_OK;
}
