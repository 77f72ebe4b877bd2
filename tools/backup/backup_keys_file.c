#include "backup_keys_file.h"

#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 65536 };

enum dbk_code backup_keys_folder(const char *dir, struct dbk_error *err)
{
    if (mkdir(dir, 0700) == 0)
        return dbk_sync_parent(dir, err);
    return errno == EEXIST ? DBK_OK : dbk_system_fail(err, "make", dir);
}

static enum dbk_code copy_bytes(int in, int out, const char *from, const char *to,
                                struct dbk_error *err)
{
    uint8_t piece[PIECE];
    enum dbk_code code;
    size_t length;

    do {
        code = dbk_read_all(in, piece, sizeof piece, &length, from, err);
        if (code == DBK_OK)
            code = dbk_write_all(out, piece, length, to, err);
    } while (code == DBK_OK && length > 0);
    explicit_bzero(piece, sizeof piece);
    return code;
}

enum dbk_code backup_keys_copy(const char *from, const char *to, struct dbk_error *err)
{
    char tmp[BACKUP_KEYS_PATH + 8];
    int in, out;
    enum dbk_code code;

    snprintf(tmp, sizeof tmp, "%s.tmp", to);
    in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (in < 0)
        return dbk_system_fail(err, "open", from);
    unlink(tmp); /* of a run that was killed */
    out = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    code = out < 0 ? dbk_system_fail(err, "make", tmp)
                   : copy_bytes(in, out, from, tmp, err);
    if (code == DBK_OK)
        code = dbk_replace(out, tmp, to, err);
    if (code != DBK_OK)
        unlink(tmp);
    if (out >= 0)
        close(out);
    close(in);
    return code;
}
