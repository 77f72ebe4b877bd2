/* The audit directory's files: who signs here, and what was signed last. */
#include "audit_dir.h"

#include "lines.h"
#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEYS_MAX = 256 };

bool dbk_audit_path(const char *dir, const char *name, char out[DBK_AUDIT_PATH])
{
    return snprintf(out, DBK_AUDIT_PATH, "%s/%s", dir, name) < DBK_AUDIT_PATH;
}

enum dbk_code audit_dir_path(const char *dir, const char *name,
                             char out[DBK_AUDIT_PATH], struct dbk_error *err)
{
    if (dbk_audit_path(dir, name, out))
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID, "the path of the audit directory is too long");
}

enum dbk_code audit_dir_open(const char *path, int *fd, struct dbk_error *err)
{
    struct stat status;

    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0 && errno == ENOENT)
        return dbk_fail(err, DBK_NOT_FOUND, "there is no %s", path);
    if (*fd < 0)
        return dbk_system_fail(err, "open", path);
    if (fstat(*fd, &status) == 0 && S_ISREG(status.st_mode))
        return DBK_OK;
    close(*fd);
    return dbk_fail(err, DBK_IO, "%s is no file", path);
}

enum dbk_code audit_dir_read(const char *path, char *out, size_t size, size_t *length,
                             struct dbk_error *err)
{
    int fd;
    enum dbk_code code = audit_dir_open(path, &fd, err);

    *length = 0;
    if (code != DBK_OK)
        return code;
    code = dbk_read_all(fd, out, size, length, path, err);
    close(fd);
    if (code != DBK_OK)
        return code;
    if (*length == size)
        return dbk_fail(err, DBK_DAMAGED, "%s is too large", path);
    out[*length] = '\0';
    return DBK_OK;
}

/* A line for each key, at most as many as sign. */
static bool read_signers(struct dbk_slice text, struct dbk_audit_signers *out)
{
    struct dbk_slice line;

    while (lines_next(&text, &line)) {
        struct dbk_skey *key = &out->keys[out->count];

        if (out->count == DBK_AUDIT_SIGNERS ||
            dbk_skey_parse(line, key, NULL) != DBK_OK ||
            key->vkey.type != DBK_KEY_LOG ||
            strcmp(key->vkey.name, out->keys[0].vkey.name) != 0)
            return false;
        out->count++;
    }
    return out->count > 0 && text.length == 0;
}

/* Whoever can read it signs as this log does. */
static enum dbk_code check_mode(const char *path, struct dbk_error *err)
{
    struct stat status;

    if (stat(path, &status) != 0 || (status.st_mode & 077) == 0)
        return DBK_OK; /* what else is wrong is found when it is read */
    return dbk_fail(
        err, DBK_IO,
        "%s is open to others than its owner (mode %03o): chmod 600 it, and "
        "where others had it, begin another name by daybook audit init "
        "--origin NAME",
        path, (unsigned)status.st_mode & 0777U);
}

enum dbk_code dbk_audit_signers(const char *dir, struct dbk_audit_signers *out,
                                struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH], text[DBK_AUDIT_SIGNERS * (DBK_SKEY_TEXT + 1) + 64];
    size_t length;
    enum dbk_code code = audit_dir_path(dir, "key", path, err);

    out->count = 0;
    if (code == DBK_OK)
        code = check_mode(path, err);
    if (code == DBK_OK)
        code = audit_dir_read(path, text, sizeof text, &length, err);
    if (code == DBK_OK && !read_signers((struct dbk_slice){text, length}, out))
        code = dbk_fail(err, DBK_DAMAGED,
                        "%s holds no key: put a copy back, or begin another name by "
                        "daybook audit init --origin NAME",
                        path);
    sodium_memzero(text, sizeof text);
    if (code != DBK_OK)
        dbk_audit_signers_wipe(out);
    return code;
}

void dbk_audit_signers_wipe(struct dbk_audit_signers *signers)
{
    sodium_memzero(signers, sizeof *signers);
}

enum dbk_code dbk_audit_key(const char *dir, struct dbk_skey *key,
                            struct dbk_error *err)
{
    struct dbk_audit_signers signers;
    enum dbk_code code = dbk_audit_signers(dir, &signers, err);

    *key = (struct dbk_skey){.vkey.type = DBK_KEY_LOG};
    if (code == DBK_OK)
        *key = signers.keys[0];
    dbk_audit_signers_wipe(&signers);
    return code;
}

enum dbk_code dbk_audit_keys(const char *dir, struct dbk_vkey *keys, size_t count,
                             size_t *found, struct dbk_error *err)
{
    enum { SIZE = KEYS_MAX * (DBK_VKEY_TEXT + 1) };
    char path[DBK_AUDIT_PATH], *text = malloc(SIZE), *feed;
    size_t length;
    enum dbk_code code = audit_dir_path(dir, "keys.pub", path, err);

    *found = 0;
    if (!text)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read keys");
    if (code == DBK_OK)
        code = audit_dir_read(path, text, SIZE, &length, err);
    for (char *at = text; code == DBK_OK && at < text + length; at = feed + 1) {
        feed = memchr(at, '\n', (size_t)(text + length - at));
        if (!feed)
            break; /* half of a line that was being added */
        if (*found == count) {
            memmove(keys, keys + 1, (count - 1) * sizeof *keys);
            --*found;
        }
        code = dbk_vkey_parse((struct dbk_slice){at, (size_t)(feed - at)},
                              &keys[*found], NULL);
        if (code != DBK_OK)
            code = dbk_fail(err, DBK_DAMAGED, "%s has a line that is no key", path);
        else
            ++*found;
    }
    free(text);
    return code;
}

enum dbk_code dbk_audit_last(const char *dir, const struct dbk_vkey *key,
                             struct dbk_signed_checkpoint *last, struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH];
    struct dbk_error why;
    enum dbk_code code = audit_dir_path(dir, "last", path, err);

    if (code == DBK_OK)
        code = audit_dir_read(path, last->text, sizeof last->text, &last->length, err);
    if (code != DBK_OK)
        return code;
    code = dbk_log_checkpoint_open((struct dbk_slice){last->text, last->length}, key,
                                   &last->checkpoint, NULL, &why);
    if (code == DBK_CONFLICT || code == DBK_NOT_FOUND)
        return dbk_fail(err, DBK_CONFLICT, "%s", why.text);
    return code == DBK_OK ? DBK_OK
                          : dbk_fail(err, DBK_DAMAGED, "%s: %s", path, why.text);
}

enum dbk_code audit_dir_put_last(const char *dir,
                                 const struct dbk_signed_checkpoint *last,
                                 struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH];
    enum dbk_code code = audit_dir_path(dir, "last", path, err);

    return code == DBK_OK ? dbk_write_file(path, 0600, last->text, last->length, err)
                          : code;
}

enum dbk_code audit_dir_note_key(const char *dir, const struct dbk_vkey *key,
                                 struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH], text[DBK_VKEY_TEXT + 3] = "\n";
    size_t length = dbk_vkey_format(key, text + 1) + 1;
    enum dbk_code code = audit_dir_path(dir, "keys.pub", path, err);
    struct stat status;
    char last = '\n';
    int fd;

    if (code != DBK_OK)
        return code;
    text[length++] = '\n';
    fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return dbk_system_fail(err, "open", path);
    if (fstat(fd, &status) == 0 && status.st_size > 0 &&
        pread(fd, &last, 1, status.st_size - 1) != 1)
        last = '\n';
    code = last == '\n' ? dbk_write_all(fd, text + 1, length - 1, path, err)
                        : dbk_write_all(fd, text, length, path, err);
    if (code == DBK_OK)
        code = dbk_sync_file(fd, path, err);
    close(fd);
    return code == DBK_OK ? dbk_sync_directory(dir, err) : code;
}

enum dbk_code audit_dir_put_signers(const char *dir,
                                    const struct dbk_audit_signers *signers,
                                    struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH], text[DBK_AUDIT_SIGNERS * (DBK_SKEY_TEXT + 1) + 1];
    size_t length = 0;
    enum dbk_code code = audit_dir_path(dir, "key", path, err);

    for (size_t i = 0; i < signers->count; i++) {
        length += dbk_skey_format(&signers->keys[i], text + length);
        text[length++] = '\n';
    }
    if (code == DBK_OK)
        code = dbk_write_file(path, 0600, text, length, err);
    sodium_memzero(text, sizeof text);
    return code;
}
