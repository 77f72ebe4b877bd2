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

enum {
    POLL_MS = 10,
    FAST_MS = 1500,
    IMMEDIATE_MS = 300,
    KILL_MS = 1000,
    LEFTOVER_MS = 15000
};
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
    "jit=off",
    "restart_after_crash=off", /* we do it, and see where it is in vain */
    "timezone=UTC",
    "lc_messages=C",
    "log_destination=stderr",
    "logging_collector=off",
    "log_min_messages=log",
    "log_error_verbosity=terse", /* the detail of an error has the row's values */
    "log_checkpoints=off",
    "autovacuum_naptime=30s",
    "log_autovacuum_min_duration=-1",
    "log_timezone=UTC",
};
enum { SETTINGS = sizeof settings / sizeof *settings };

enum { OTHERS_MAX = 44 }; /* connections of projectors, commands and people */

static enum dbk_code spawn(struct cluster_server *server, int log_fd, int lock_fd)
{
    char sockets[CLUSTER_SOCKET_DIR + 32], connections[32];
    /* -D first: so a leftover is recognised by it. */
    const char *argv[9 + 2 * SETTINGS + 1] = {server->programs.postgres,
                                              "-D",
                                              server->place->dir,
                                              "-p",
                                              CLUSTER_PORT,
                                              "-c",
                                              sockets,
                                              "-c",
                                              connections};
    size_t n = 9;

    /* Quoted: PostgreSQL reads a list here. */
    snprintf(sockets, sizeof sockets, "unix_socket_directories=\"%s\"",
             server->place->socket_dir);
    snprintf(connections, sizeof connections, "max_connections=%d",
             DBK_CLUSTER_READS_MAX + OTHERS_MAX);
    for (size_t i = 0; i < SETTINGS; i++) {
        argv[n++] = "-c";
        argv[n++] = settings[i];
    }
    assert(n + 1 == sizeof argv / sizeof *argv); /* the last one stays NULL */
    return cluster_spawn(&server->place->user, argv, log_fd, lock_fd, &server->pid,
                         NULL);
}

static void count_death(struct cluster_server *server)
{
    bool has_lived = dbk_deadline_in(-LIVED_MS) > server->started;

    server->pid = 0;
    server->deaths++;
    server->start_at = dbk_deadline_in(has_lived ? SOON_MS : LATER_MS);
}

static void start_server(struct cluster_server *server)
{
    int log_fd = cluster_log_open(server->place);
    int lock_fd = cluster_lock_inherit(server->lock);

    server->started = dbk_deadline_in(0);
    if (log_fd < 0 || lock_fd < 0 || spawn(server, log_fd, lock_fd) != DBK_OK)
        count_death(server);
    if (log_fd >= 0)
        close(log_fd);
    if (lock_fd >= 0)
        close(lock_fd);
}

bool cluster_server_keep(struct cluster_server *server)
{
    pid_t ended = server->pid > 0 ? waitpid(server->pid, NULL, WNOHANG) : 0;

    if (ended == server->pid && ended > 0)
        count_death(server);
    /* Backends of one that was killed live on for a moment, with its shared memory. */
    if (server->pid == 0 && dbk_deadline_left(server->start_at) == 0 &&
        !cluster_lock_runs(server->lock))
        start_server(server);
    return ended > 0;
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

/* The postmaster that is left of an owner that was killed; 0 where none is. */
static pid_t leftover(const struct cluster_server *server)
{
    pid_t pid = cluster_server_pid(server->place);

    return pid > 0 && is_ours(pid, server->place->dir) ? pid : 0;
}

/* Whether a process of it lives. One that a version before this has started holds no lock
 * of ours. */
static bool lives(const struct cluster_server *server)
{
    return cluster_lock_runs(server->lock) || leftover(server) > 0;
}

/* True once no process of it is left. */
static bool end(const struct cluster_server *server, const struct dbk_watch *watch,
                pid_t pid, int signal_number, int timeout_ms)
{
    dbk_deadline deadline = dbk_deadline_in(timeout_ms);

    if (pid > 0)
        kill(pid, signal_number);
    while (lives(server)) {
        if (dbk_deadline_left(deadline) == 0 || dbk_watch_stops(watch))
            return false;
        dbk_sleep_ms(POLL_MS);
    }
    return true;
}

/* One that hangs leaves no process behind: its own first, while they can be told by their
 * parent. */
static void kill_all(const struct cluster_server *server, pid_t pid)
{
    cluster_kill_children(pid);
    end(server, NULL, pid, SIGKILL, KILL_MS);
}

void cluster_server_end(struct cluster_server *server)
{
    if (server->pid > 0) {
        if (!end(server, NULL, server->pid, SIGINT, FAST_MS) &&
            !end(server, NULL, server->pid, SIGQUIT, IMMEDIATE_MS))
            kill_all(server, server->pid);
        kill(server->pid, SIGKILL);
        while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
            ;
        server->pid = 0;
    }
    if (server->place && server->place->own_socket_dir)
        rmdir(server->place->socket_dir);
}

/* Nothing of it runs. What its files say of a process would be of another program's by
 * now, and PostgreSQL would take that for a server. */
static enum dbk_code remove_stale(const struct cluster_place *place,
                                  struct dbk_error *err)
{
    const char *const in_socket_dir[] = {".s.PGSQL." CLUSTER_PORT,
                                         ".s.PGSQL." CLUSTER_PORT ".lock"};
    char path[PATH_MAX];

    if (cluster_path(path, place->dir, "postmaster.pid", err) != DBK_OK)
        return DBK_TOO_LARGE;
    unlink(path);
    for (size_t i = 0; i < sizeof in_socket_dir / sizeof *in_socket_dir; i++) {
        if (cluster_path(path, place->socket_dir, in_socket_dir[i], err) != DBK_OK)
            return DBK_TOO_LARGE;
        unlink(path);
    }
    return DBK_OK;
}

enum dbk_code cluster_server_end_leftover(const struct cluster_server *server,
                                          const struct dbk_watch *watch,
                                          struct dbk_error *err)
{
    assert(server->pid == 0 && server->deaths == 0);
    if (lives(server)) {
        dbk_watch_say(watch, "waiting for the PostgreSQL of a killed process to end");
        /* It was sent one when its owner ended; another does no harm. */
        if (!end(server, watch, leftover(server), SIGINT, LEFTOVER_MS) &&
            !end(server, watch, leftover(server), SIGQUIT, IMMEDIATE_MS))
            kill_all(server, leftover(server));
        if (dbk_watch_stops(watch))
            return dbk_fail(err, DBK_INTERRUPTED, "stopped");
        if (lives(server))
            return dbk_fail(err, DBK_TIMEOUT,
                            "the PostgreSQL of a killed process (%ld) does not end",
                            (long)cluster_server_pid(server->place));
    }
    return remove_stale(server->place, err);
}
