#include "cluster_process.h"

#include "store/clock.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Exit statuses of a child that did not get as far as its program. */
enum {
    CHILD_ORPHANED = 124,
    CHILD_NOT_PERMITTED = 125,
    CHILD_NO_FILES = 126,
    CHILD_NO_PROGRAM = 127
};

enum { POLL_MS = 10 };

static bool named_user(const char *name, struct cluster_user *user)
{
    char buffer[4096];
    struct passwd entry, *found = NULL;

    if (getpwnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || !found)
        return false;
    user->uid = entry.pw_uid;
    user->gid = entry.pw_gid;
    return user->uid != 0;
}

struct cluster_user cluster_user_find(void)
{
    struct cluster_user user = {
        .drop = geteuid() == 0, .uid = geteuid(), .gid = getegid()};

    if (user.drop && !named_user("postgres", &user) && !named_user("nobody", &user)) {
        user.uid = 65534;
        user.gid = 65534;
    }
    return user;
}

/* What our user has kept for the time of the start is not meant to stay. Where there is
 * nothing, a sandbox may forbid the very call. */
static bool drop_saved_user(void)
{
    uid_t real, user, saved;

    return getresuid(&real, &user, &saved) == 0 &&
           (user == saved || setresuid(user, user, user) == 0);
}

/* Between fork and exec: async-signal-safe calls only, other threads may hold locks. */
static bool become(const struct cluster_user *user)
{
    return user->drop ? setgroups(1, &user->gid) == 0 && setgid(user->gid) == 0 &&
                            setuid(user->uid) == 0
                      : drop_saved_user();
}

bool cluster_user_reaches(const struct cluster_user *user, const char *dir)
{
    int status = 0;
    pid_t pid;

    if (!user->drop)
        return access(dir, X_OK) == 0;
    pid = fork();
    if (pid == 0)
        _exit(become(user) && access(dir, X_OK) == 0 ? 0 : 1);
    if (pid < 0)
        return false;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* What the parent blocked or ignored must not be inherited. */
static void reset_signals(void)
{
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Only the outputs and the lock stay open. */
static bool reset_files(int log_fd, int lock_fd)
{
    int null = open("/dev/null", O_RDONLY), next = STDERR_FILENO + 1;

    if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log_fd, STDOUT_FILENO) < 0 ||
        dup2(log_fd, STDERR_FILENO) < 0)
        return false;
    if (lock_fd >= next &&
        (lock_fd == next ? fcntl(lock_fd, F_SETFD, 0) : dup2(lock_fd, next)) < 0)
        return false;
    closefrom(lock_fd < 0 ? next : next + 1);
    return true;
}

static _Noreturn void become_program(const struct cluster_user *user,
                                     const char *const *argv, int log_fd, int lock_fd,
                                     pid_t parent)
{
    /* The allocator's: a statement's memory is kept for the next one. Else a backend gives
     * it back to the system and asks for it again with each batch, a seventh of its time. */
    static char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
                                        "TZ=UTC",
                                        "LC_ALL=C",
                                        "MALLOC_TOP_PAD_=1048576",
                                        "MALLOC_TRIM_THRESHOLD_=16777216",
                                        "MALLOC_MMAP_THRESHOLD_=16777216",
                                        NULL};

    setsid();
    reset_signals();
    if (!become(user) || chdir("/") != 0)
        _exit(CHILD_NOT_PERMITTED);
    /* After setuid, which clears it; the parent may have died before it was set. */
    if (prctl(PR_SET_PDEATHSIG, SIGINT) != 0 || getppid() != parent)
        _exit(CHILD_ORPHANED);
    umask(S_IRWXG | S_IRWXO);
    if (!reset_files(log_fd, lock_fd))
        _exit(CHILD_NO_FILES);
    execve(argv[0], (char *const *)(uintptr_t)argv, environment);
    _exit(CHILD_NO_PROGRAM);
}

enum dbk_code cluster_spawn(const struct cluster_user *user, const char *const *argv,
                            int log_fd, int lock_fd, pid_t *pid, struct dbk_error *err)
{
    pid_t parent = getpid();

    assert(argv[0][0] == '/' && log_fd > STDERR_FILENO); /* in the child, which moves */
    *pid = fork();
    if (*pid == 0)
        become_program(user, argv, log_fd, lock_fd, parent);
    if (*pid < 0)
        return dbk_fail(err, DBK_IO, "start %s: %s", argv[0], strerror(errno));
    return DBK_OK;
}

/* From /proc/PID/stat, whose second field may have any character in it. */
static pid_t parent_of(long pid)
{
    char path[40], text[256] = "";
    const char *end;
    FILE *file;
    long parent = 0;

    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    file = fopen(path, "re");
    if (!file)
        return 0;
    if (fgets(text, sizeof text, file) && (end = strrchr(text, ')')))
        sscanf(end, ") %*c %ld", &parent);
    fclose(file);
    return (pid_t)parent;
}

void cluster_kill_children(pid_t parent)
{
    DIR *all = opendir("/proc");

    for (const struct dirent *one; all && (one = readdir(all));) {
        long pid = strtol(one->d_name, NULL, 10);

        if (parent > 1 && pid > 0 && parent_of(pid) == parent)
            kill((pid_t)pid, SIGKILL);
    }
    if (all)
        closedir(all);
}

/* True once it has ended. */
static bool wait_bounded(pid_t pid, int timeout_ms, const struct dbk_watch *watch,
                         int *status)
{
    for (int waited = 0; waited < timeout_ms; waited += POLL_MS) {
        pid_t ended = waitpid(pid, status, WNOHANG);

        if (ended == pid || (ended < 0 && errno != EINTR))
            return true;
        if (dbk_watch_stops(watch))
            return false;
        dbk_sleep_ms(POLL_MS);
    }
    return false;
}

enum dbk_code cluster_run(const struct cluster_user *user, const char *const *argv,
                          int log_fd, int timeout_ms, const struct dbk_watch *watch,
                          struct dbk_error *err)
{
    int status = -1;
    pid_t pid;

    if (cluster_spawn(user, argv, log_fd, -1, &pid, err) != DBK_OK)
        return err ? err->code : DBK_IO;
    if (!wait_bounded(pid, timeout_ms, watch, &status)) {
        kill(-pid, SIGKILL); /* and those that it has started */
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        if (dbk_watch_stops(watch))
            return dbk_fail(err, DBK_INTERRUPTED, "stopped");
        return dbk_fail(err, DBK_TIMEOUT, "%s took more than %d s", argv[0],
                        timeout_ms / 1000);
    }
    if (status != 0)
        return dbk_fail(err, DBK_IO, "%s failed with %s %d", argv[0],
                        WIFSIGNALED(status) ? "signal" : "status",
                        WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    return DBK_OK;
}
