/* The server of a keeper that was killed. */
#include "cluster_files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 10, FAST_MS = 10000, IMMEDIATE_MS = 5000 };

static pid_t read_pid(const struct cluster_place *place)
{
    char path[PATH_MAX], text[32] = "";
    FILE *file;

    if (cluster_path(path, place->dir, "postmaster.pid", NULL) != DBK_OK)
        return 0;
    file = fopen(path, "re");
    if (!file)
        return 0;
    if (!fgets(text, sizeof text, file))
        text[0] = '\0';
    fclose(file);
    return (pid_t)strtol(text, NULL, 10);
}

/* Whether the process was started as "postgres -D <our directory>". Its command line is
 * readable for all, and it is empty once the process is a zombie. */
static bool is_ours(pid_t pid, const char *dir)
{
    char path[32], line[PATH_MAX + 64];
    const char *program, *option, *operand;
    ssize_t length;
    int fd;

    snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    length = read(fd, line, sizeof line - 3);
    close(fd);
    if (length <= 0)
        return false;
    memset(line + length, 0, 3); /* whatever it holds, there are three strings */
    program = line;
    option = program + strlen(program) + 1;
    operand = option + strlen(option) + 1;
    program = strrchr(program, '/') ? strrchr(program, '/') + 1 : program;
    return !strcmp(program, "postgres") && !strcmp(option, "-D") &&
           !strcmp(operand, dir);
}

static bool wait_gone(pid_t pid, const char *dir, int timeout_ms)
{
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};

    for (int waited = 0; waited < timeout_ms; waited += POLL_MS) {
        if (!is_ours(pid, dir))
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

/* After a restart of the machine the number may be another program's, and PostgreSQL
 * would take it for a server that runs. We have the lock: there is none. */
static void remove_pid_file(const struct cluster_place *place, pid_t pid)
{
    char path[PATH_MAX];

    if (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH)
        return; /* PostgreSQL sees by itself that it is stale */
    if (cluster_path(path, place->dir, "postmaster.pid", NULL) == DBK_OK)
        unlink(path);
}

enum dbk_code cluster_end_leftover(const struct cluster_place *place,
                                   const struct cluster_caller *caller,
                                   struct dbk_error *err)
{
    pid_t pid = read_pid(place);

    if (pid <= 0)
        return DBK_OK;
    if (is_ours(pid, place->dir)) {
        cluster_say(caller, "waiting for the PostgreSQL of a killed keeper to end");
        kill(pid, SIGINT); /* it was sent one before; another does no harm */
        if (!wait_gone(pid, place->dir, FAST_MS)) {
            kill(pid, SIGQUIT);
            if (!wait_gone(pid, place->dir, IMMEDIATE_MS))
                return dbk_fail(
                    err, DBK_TIMEOUT,
                    "PostgreSQL of a killed keeper (process %ld) does not end",
                    (long)pid);
        }
    }
    pid = read_pid(place);
    if (pid > 0)
        remove_pid_file(place, pid);
    return DBK_OK;
}
