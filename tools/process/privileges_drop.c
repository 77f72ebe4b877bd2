#include "privileges_drop.h"

#include "privileges.h"

#include <assert.h>
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct __user_cap_data_struct capability_sets[_LINUX_CAPABILITY_U32S_3];

static enum dbk_code system_fail(struct dbk_error *err, const char *doing)
{
    return dbk_fail(err, DBK_IO, "give up root's rights: %s: %s", doing,
                    strerror(errno));
}

/* Of this thread; there is none beside it. */
static bool set_capabilities(uint32_t low)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    capability_sets sets = {{.effective = low, .permitted = low}};

    return syscall(SYS_capset, &header, sets) == 0;
}

static bool has_no_capability(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    capability_sets sets = {{0}};

    if (syscall(SYS_capget, &header, sets) != 0)
        return false;
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        if (sets[i].effective || sets[i].permitted || sets[i].inheritable)
            return false;
    }
    return true;
}

/* What a program that we run could get: nothing. The kernel knows its last one. */
static bool empty_bounds(void)
{
    for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0)
            return false;
    }
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static bool is_wholly(uid_t uid, gid_t gid)
{
    uid_t uids[3];
    gid_t gids[3];

    return getresuid(&uids[0], &uids[1], &uids[2]) == 0 &&
           getresgid(&gids[0], &gids[1], &gids[2]) == 0 && uids[0] == uid &&
           uids[1] == uid && uids[2] == uid && gids[0] == gid && gids[1] == gid &&
           gids[2] == gid && getgroups(0, NULL) == 0;
}

static enum dbk_code check_gone(uid_t uid, gid_t gid, struct dbk_error *err)
{
    if (is_wholly(uid, gid) && has_no_capability() && setuid(0) != 0)
        return DBK_OK;
    return dbk_fail(err, DBK_IO,
                    "root's rights are not gone, though the system said "
                    "so");
}

/* A process that changes its user leaves no core and hides its files in /proc; ours is now
 * as if that user had started it. */
static void show_as_own(void)
{
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* libpq looks for files below it, and takes root's, which it may not see, for a failure.
 */
static bool set_home(const char *home)
{
    return (*home ? setenv("HOME", home, 1) : unsetenv("HOME")) == 0;
}

enum dbk_code privileges_drop(const struct privileges_user *user, bool low_port,
                              struct dbk_error *err)
{
    /* The saved number stays root's for a while: when it goes, with setresuid, the C
     * library sees to it in all threads, and the kernel takes each one's capabilities. */
    uid_t saved = low_port ? 0 : user->uid;

    assert(user->uid != 0); /* to stay root, nothing is dropped */
    if (setgroups(0, NULL) != 0)
        return system_fail(err, "leave the groups");
    if (!empty_bounds())
        return system_fail(err, "drop the capabilities");
    if (setresgid(user->gid, user->gid, user->gid) != 0)
        return system_fail(err, "change the group");
    if (setresuid(user->uid, user->uid, saved) != 0)
        return system_fail(err, "change the user");
    if (!set_capabilities(low_port ? 1U << CAP_NET_BIND_SERVICE : 0))
        return system_fail(err, "drop the capabilities");
    if (!set_home(user->home))
        return system_fail(err, "set HOME");
    if (low_port)
        return DBK_OK;
    show_as_own();
    return check_gone(user->uid, user->gid, err);
}

enum dbk_code privileges_finish(struct dbk_error *err)
{
    uid_t real, uid, saved;

    if (getresuid(&real, &uid, &saved) != 0)
        return system_fail(err, "read the user");
    if (uid == saved)
        return DBK_OK;
    if (setresuid(uid, uid, uid) != 0)
        return system_fail(err, "change the user");
    show_as_own();
    return check_gone(uid, getegid(), err);
}

static bool become_and_look(const struct privileges_user *user, const char *dir,
                            int how)
{
    return setgroups(0, NULL) == 0 && setresgid(user->gid, user->gid, user->gid) == 0 &&
           setresuid(user->uid, user->uid, user->uid) == 0 && access(dir, how) == 0;
}

bool privileges_reaches(const struct privileges_user *user, const char *dir, int how)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0)
        _exit(become_and_look(user, dir, how) ? 0 : 1);
    if (pid < 0)
        return false;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
