#include "master.h"

#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_MOST = 128 }; /* a byte more than any of its forms */

/* What cannot be looked at may be there: a key made in its place would lie beside the ring.
 * Unless one does already, and the credentials are of whoever started this one. */
static bool is_handed(const char *path, const char *dir)
{
    char beside[DBK_KEYS_PATH];

    if (access(path, F_OK) == 0)
        return true;
    if (errno == ENOENT)
        return false;
    snprintf(beside, sizeof beside, "%s/master", dir);
    return access(beside, F_OK) != 0;
}

enum dbk_code dbk_keys_master(const char *configured, const char *credentials,
                              const char *dir, char out[DBK_KEYS_PATH],
                              struct dbk_error *err)
{
    int length = 0;

    out[0] = '\0';
    if (configured && configured[0])
        length = snprintf(out, DBK_KEYS_PATH, "%s", configured);
    else if (credentials && credentials[0]) {
        length = snprintf(out, DBK_KEYS_PATH, "%s/master_key", credentials);
        if (length < DBK_KEYS_PATH && !is_handed(out, dir))
            out[0] = '\0';
    }
    if (length < DBK_KEYS_PATH)
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID, "the path of the master key's file is too long");
}

/* Whoever can read it opens what the ring's keys seal. */
static enum dbk_code check_access(int fd, const char *path, bool beside, uid_t owner,
                                  struct dbk_error *err)
{
    const mode_t open_to = beside ? 077 : 027;
    struct stat status;

    if (fstat(fd, &status) != 0)
        return dbk_system_fail(err, "look at", path);
    if (!S_ISREG(status.st_mode))
        return dbk_fail(err, DBK_IO, "%s is no file: a master key lies in one", path);
    if (status.st_mode & open_to)
        return dbk_fail(
            err, DBK_IO,
            "%s is open to others than its owner (mode %03o): chmod 600 it, "
            "and where others had it, run daybook keys rotate",
            path, (unsigned)status.st_mode & 0777U);
    if (status.st_uid != 0 && status.st_uid != geteuid() && status.st_uid != owner)
        return dbk_fail(err, DBK_IO,
                        "%s is of user %u, who can read it: chown it to the user that "
                        "runs daybook, or to root",
                        path, (unsigned)status.st_uid);
    return DBK_OK;
}

static enum dbk_code open_read(const char *path, int *fd, struct dbk_error *err)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe waits for nobody */
    if (*fd >= 0)
        return DBK_OK;
    if (errno == ENOENT)
        return dbk_fail(err, DBK_NOT_FOUND,
                        "there is no master key %s: put it back, or name in "
                        "MASTER_KEY_FILE where it is",
                        path);
    return dbk_system_fail(err, "open", path);
}

static enum dbk_code parse(const char *path, const char *bytes, size_t length,
                           uint8_t key[DBK_KEY_BYTES], struct dbk_error *err)
{
    size_t text = length, read = 0;

    if (length == DBK_KEY_BYTES) {
        memcpy(key, bytes, DBK_KEY_BYTES);
        return DBK_OK;
    }
    while (text > 0 && (bytes[text - 1] == '\n' || bytes[text - 1] == '\r'))
        text--;
    if (text == (size_t)2 * DBK_KEY_BYTES &&
        sodium_hex2bin(key, DBK_KEY_BYTES, bytes, text, NULL, &read, NULL) == 0 &&
        read == DBK_KEY_BYTES)
        return DBK_OK;
    sodium_memzero(key, DBK_KEY_BYTES);
    if (text == 0 && length > 0) /* who destroyed it was killed before it went */
        return dbk_fail(err, DBK_NOT_FOUND,
                        "%s has no master key any more: put the right file there, or "
                        "remove it",
                        path);
    return dbk_fail(
        err, DBK_INVALID,
        "%s is no master key, which is 64 hexadecimal digits or 32 bytes: it "
        "has %zu%s; put the right file there",
        path, length, length == READ_MOST ? " or more" : "");
}

enum dbk_code master_read(const char *path, bool beside, uid_t owner,
                          uint8_t key[DBK_KEY_BYTES], struct dbk_error *err)
{
    char bytes[READ_MOST];
    size_t length;
    int fd;
    enum dbk_code code = open_read(path, &fd, err);

    if (code != DBK_OK)
        return code;
    code = check_access(fd, path, beside, owner, err);
    if (code == DBK_OK)
        code = dbk_read_all(fd, bytes, sizeof bytes, &length, path, err);
    if (code == DBK_OK)
        code = parse(path, bytes, length, key, err);
    sodium_memzero(bytes, sizeof bytes);
    close(fd);
    return code;
}

enum dbk_code master_make(const char *path, uint8_t key[DBK_KEY_BYTES],
                          struct dbk_error *err)
{
    char text[MASTER_TEXT + 1];
    enum dbk_code code;

    randombytes_buf(key, DBK_KEY_BYTES);
    sodium_bin2hex(text, sizeof text, key, DBK_KEY_BYTES);
    text[MASTER_TEXT - 1] = '\n';
    code = dbk_write_file(path, 0600, text, MASTER_TEXT, err);
    sodium_memzero(text, sizeof text);
    return code;
}

static enum dbk_code overwrite(int fd, const char *path, const char *bytes,
                               size_t length, struct dbk_error *err)
{
    enum dbk_code code = dbk_write_all(fd, bytes, length, path, err);

    if (code == DBK_OK && ftruncate(fd, (off_t)length) != 0)
        code = dbk_system_fail(err, "cut", path);
    return code == DBK_OK ? dbk_sync_file(fd, path, err) : code;
}

/* So many line feeds are no key, whatever became of it. */
enum { BLANK = READ_MOST };

enum dbk_code master_destroy(const char *path, struct dbk_error *err)
{
    char blank[BLANK];
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    enum dbk_code code = DBK_OK;

    if (fd < 0 && errno == ENOENT)
        return DBK_OK;
    if (fd >= 0) {
        memset(blank, '\n', sizeof blank);
        code = overwrite(fd, path, blank, sizeof blank, err);
        close(fd);
    }
    if (code == DBK_OK && unlink(path) != 0)
        code = dbk_system_fail(err, "remove", path);
    return code;
}

enum dbk_code master_overwrite(const char *path, const char *from,
                               struct dbk_error *err)
{
    char bytes[READ_MOST];
    size_t length;
    int fd;
    enum dbk_code code = open_read(from, &fd, err);

    if (code != DBK_OK)
        return code;
    code = dbk_read_all(fd, bytes, sizeof bytes, &length, from, err);
    close(fd);
    if (code == DBK_OK) {
        fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0)
            code = dbk_system_fail(err, "open", path);
        else {
            code = overwrite(fd, path, bytes, length, err);
            close(fd);
        }
    }
    sodium_memzero(bytes, sizeof bytes);
    return code;
}
