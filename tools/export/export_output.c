#include "export_output.h"

#include "lock.h"
#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum dbk_code already_there(struct dbk_error *err, const char *path)
{
    return dbk_fail(err, DBK_EXISTS, "%s is there already: --force replaces it", path);
}

static enum dbk_code check_name(const struct export_output *output,
                                struct dbk_error *err)
{
    struct stat status;

    if (lstat(output->path, &status) != 0)
        return errno == ENOENT ? DBK_OK : dbk_system_fail(err, "open", output->path);
    if (!S_ISREG(status.st_mode))
        return dbk_fail(err, DBK_EXISTS,
                        "%s is no file: write to standard output instead, and send it "
                        "there",
                        output->path);
    return output->force ? DBK_OK : already_there(err, output->path);
}

/* Another export may have been killed and left it; or be writing it. */
static enum dbk_code open_partial(struct export_output *output, struct dbk_error *err)
{
    output->fd =
        open(output->partial, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (output->fd < 0)
        return dbk_system_fail(err, "open", output->partial);
    if (lock_partial(output->fd, output->partial, err) != DBK_OK) {
        close(output->fd);
        return err->code;
    }
    if (ftruncate(output->fd, 0) == 0)
        return DBK_OK;
    dbk_system_fail(err, "empty", output->partial);
    close(output->fd);
    return err->code;
}

enum dbk_code export_output_open(const char *path, bool force,
                                 struct export_output *output, struct dbk_error *err)
{
    *output = (struct export_output){.fd = STDOUT_FILENO, .force = force};
    if (!path || !strcmp(path, "-"))
        return DBK_OK;
    output->path = path;
    if (snprintf(output->partial, sizeof output->partial, "%s.partial", path) >=
        (int)sizeof output->partial)
        return dbk_fail(err, DBK_INVALID, "the file's path is too long");
    if (check_name(output, err) != DBK_OK)
        return err->code;
    return open_partial(output, err);
}

/* A link replaces nothing, where the file system has links; where it has none, as that of
 * most memory sticks, look once more and rename. */
static int name_new(const struct export_output *output)
{
    struct stat status;

    if (link(output->partial, output->path) == 0) {
        unlink(output->partial);
        return 0;
    }
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS)
        return -1;
    if (lstat(output->path, &status) == 0) {
        errno = EEXIST;
        return -1;
    }
    return rename(output->partial, output->path);
}

static enum dbk_code give_name(const struct export_output *output,
                               struct dbk_error *err)
{
    int rc = output->force ? rename(output->partial, output->path) : name_new(output);

    if (rc != 0 && errno == EEXIST)
        return already_there(err, output->path);
    if (rc != 0)
        return dbk_system_fail(err, "write", output->path);
    return dbk_sync_parent(output->path, err);
}

enum dbk_code export_output_keep(struct export_output *output, struct dbk_error *err)
{
    enum dbk_code code;

    if (!output->path)
        return DBK_OK;
    code = dbk_sync_file(output->fd, output->partial, err);
    if (code == DBK_OK)
        code = give_name(output, err);
    if (code != DBK_OK)
        unlink(output->partial);
    close(output->fd);
    return code;
}

void export_output_discard(struct export_output *output)
{
    if (!output->path)
        return;
    unlink(output->partial);
    close(output->fd);
}
