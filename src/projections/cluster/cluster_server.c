#include "cluster_server.h"

#include "cluster_files.h"
#include "cluster_lock.h"
#include "cluster_process.h"
#include "projections/cluster.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { POLL_MS = 10, FAST_MS = 15000, IMMEDIATE_MS = 5000 };
enum { SOON_MS = 100, LATER_MS = 1000, LIVED_MS = 1000 };

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

static enum dbk_code spawn(struct cluster_server *self, int log_fd, int lock_fd)
{
    char sockets[CLUSTER_SOCKET_DIR + 32], connections[32];
    /* -D first: so a leftover is recognised by it. */
    const char *argv[9 + 2 * SETTINGS + 1] = {self->programs.postgres,
                                              "-D",
                                              self->place->dir,
                                              "-p",
                                              CLUSTER_PORT,
                                              "-c",
                                              sockets,
                                              "-c",
                                              connections};
    size_t n = 9;

    /* Quoted: PostgreSQL reads a list here. */
    snprintf(sockets, sizeof sockets, "unix_socket_directories=\"%s\"",
             self->place->socket_dir);
    snprintf(connections, sizeof connections, "max_connections=%d",
             DBK_CLUSTER_READS_MAX + OTHERS_MAX);
    for (size_t i = 0; i < SETTINGS; i++) {
        argv[n++] = "-c";
        argv[n++] = settings[i];
    }
    assert(n + 1 == sizeof argv / sizeof *argv); /* the last one stays NULL */
    return cluster_spawn(&self->place->user, argv, log_fd, lock_fd, &self->pid, NULL);
}

static void count_death(struct cluster_server *self)
{
    bool has_lived = dbk_deadline_in(-LIVED_MS) > self->started;

    self->pid = 0;
    self->deaths++;
    self->start_at = dbk_deadline_in(has_lived ? SOON_MS : LATER_MS);
}

static void start_server(struct cluster_server *self)
{
    int log_fd = cluster_log_open(self->place);
    int lock_fd = cluster_lock_inherit(self->lock);

    self->started = dbk_deadline_in(0);
    if (log_fd < 0 || lock_fd < 0 || spawn(self, log_fd, lock_fd) != DBK_OK)
        count_death(self);
    if (log_fd >= 0)
        close(log_fd);
    if (lock_fd >= 0)
        close(lock_fd);
}

bool cluster_server_keep(struct cluster_server *self)
{
    pid_t ended = self->pid > 0 ? waitpid(self->pid, NULL, WNOHANG) : 0;

    if (ended == self->pid && ended > 0)
        count_death(self);
    /* Backends of one that was killed live on for a moment, with its shared memory. */
    if (self->pid == 0 && dbk_deadline_left(self->start_at) == 0 &&
        !cluster_lock_runs(self->lock))
        start_server(self);
    return ended > 0;
}

/* True once no process of it is left. */
static bool end(int lock, pid_t pid, int signal_number, int timeout_ms)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);

    if (pid > 0)
        kill(pid, signal_number);
    while (cluster_lock_runs(lock)) {
        if (dbk_deadline_left(deadline) == 0)
            return false;
        dbk_sleep_ms(POLL_MS);
    }
    return true;
}

void cluster_server_end(struct cluster_server *self)
{
    if (self->pid > 0) {
        if (!end(self->lock, self->pid, SIGINT, FAST_MS))
            end(self->lock, self->pid, SIGQUIT, IMMEDIATE_MS);
        kill(self->pid, SIGKILL);
        while (waitpid(self->pid, NULL, 0) < 0 && errno == EINTR)
            ;
        self->pid = 0;
    }
    if (self->place && self->place->own_socket_dir)
        rmdir(self->place->socket_dir);
}

/* Whether the process was started as "postgres -D <our directory>". Its command line is
 * readable for all. */
static bool is_ours(pid_t pid, const char *dir)
{
    char path[32], line[2 * PATH_MAX] = "", wanted[PATH_MAX + 16];
    int length = snprintf(wanted, sizeof wanted, "/postgres%c-D%c%s", 0, 0, dir) + 1;
    const char *name;

    snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)pid);
    cluster_read_file(path, false, line, sizeof line);
    name = strrchr(line, '/');
    return name && name + length <= line + sizeof line &&
           memcmp(name, wanted, (size_t)length) == 0;
}

pid_t cluster_server_pid(const struct cluster_place *place)
{
    char path[PATH_MAX], text[32] = "";

    if (cluster_path(path, place->dir, "postmaster.pid", NULL) == DBK_OK)
        cluster_read_file(path, false, text, sizeof text);
    return (pid_t)strtol(text, NULL, 10);
}

/* Send it to the leftover, if it is one. */
static bool end_leftover(const struct cluster_server *self, int signal_number,
                         int timeout_ms)
{
    pid_t pid = cluster_server_pid(self->place);

    return end(self->lock, pid > 0 && is_ours(pid, self->place->dir) ? pid : 0,
               signal_number, timeout_ms);
}

enum dbk_code cluster_server_end_leftover(const struct cluster_server *self,
                                          const struct dbk_watch *watch,
                                          struct dbk_error *err)
{
    char path[PATH_MAX];

    assert(self->pid == 0 && self->deaths == 0);
    if (cluster_lock_runs(self->lock)) {
        dbk_watch_say(watch, "waiting for the PostgreSQL of a killed process to end");
        /* It was sent one when its owner ended; another does no harm. */
        if (!end_leftover(self, SIGINT, FAST_MS) &&
            !end_leftover(self, SIGQUIT, IMMEDIATE_MS))
            return dbk_fail(err, DBK_TIMEOUT,
                            "the PostgreSQL of a killed process (%ld) does not end",
                            (long)cluster_server_pid(self->place));
    }
    /* Nothing of it runs. After a restart of the machine the number in the file may be
     * another program's, and PostgreSQL would take that for a server. */
    if (cluster_path(path, self->place->dir, "postmaster.pid", err) != DBK_OK)
        return DBK_TOO_LARGE;
    unlink(path);
    return DBK_OK;
}
