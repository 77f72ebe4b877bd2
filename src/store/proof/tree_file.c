/* The tree's file. A header of 32 bytes, little-endian: "DAYBOOK TREE 1\n\0", how many hashes
 * are right, their CRC-32, and the CRC-32 of the header before it. Then the hashes. It grows
 * by those first and the header after: killed in between, the header tells of fewer; after a
 * power cut the checksum may be wrong, and it is made anew. So nothing is synced. */
#include "audit_dir.h"
#include "tree_private.h"

#include "store/durable.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOAD_HASHES = 4096 };

struct header {
    char magic[16];
    uint64_t count;
    uint32_t sum, own;
};

static const char magic[16] = "DAYBOOK TREE 1\n";

_Static_assert(sizeof(struct header) == 32, "as it is on disk");

static uint32_t sum_header(const struct header *header)
{
    return libdeflate_crc32(0, header, offsetof(struct header, own));
}

static enum dbk_code read_whole(int fd, void *out, size_t length, const char *path,
                                struct dbk_error *err)
{
    size_t got;
    enum dbk_code code = dbk_read_all(fd, out, length, &got, path, err);

    if (code == DBK_OK && got < length)
        code = dbk_fail(err, DBK_DAMAGED, "%s is cut short", path);
    return code;
}

static enum dbk_code load_some(struct dbk_tree *tree, int fd, size_t count,
                               struct dbk_hash *hashes, uint32_t *sum, const char *path,
                               struct dbk_error *err)
{
    enum dbk_code code = read_whole(fd, hashes, count * sizeof *hashes, path, err);
    bool kept = true;

    if (code != DBK_OK)
        return code;
    *sum = libdeflate_crc32(*sum, hashes, count * sizeof *hashes);
    pthread_rwlock_wrlock(&tree->lock);
    for (size_t i = 0; i < count && kept; i++) {
        kept = tree_keep(tree, &hashes[i]);
        tree->size += kept ? TREE_WIDTH : 0;
    }
    pthread_rwlock_unlock(&tree->lock);
    return kept ? DBK_OK : dbk_fail(err, DBK_NO_MEMORY, "no memory for the tree");
}

static enum dbk_code load_hashes(struct dbk_tree *tree, int fd,
                                 const struct header *header, const char *path,
                                 struct dbk_error *err)
{
    struct dbk_hash *hashes = malloc(LOAD_HASHES * sizeof *hashes);
    uint64_t left = le64toh(header->count);
    enum dbk_code code = DBK_OK;
    uint32_t sum = 0;

    if (!hashes)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for the tree");
    while (code == DBK_OK && left > 0) {
        size_t some = left < LOAD_HASHES ? (size_t)left : LOAD_HASHES;

        code = load_some(tree, fd, some, hashes, &sum, path, err);
        left -= some;
    }
    free(hashes);
    if (code == DBK_OK && sum != le32toh(header->sum))
        code = dbk_fail(err, DBK_DAMAGED, "%s is damaged: its checksum is wrong", path);
    return code;
}

static void remember(struct dbk_tree *tree, const char *path, uint64_t count,
                     uint32_t sum)
{
    if (snprintf(tree->file, sizeof tree->file, "%s", path) >= (int)sizeof tree->file)
        tree->file[0] = '\0';
    tree->file_count = count;
    tree->file_sum = sum;
}

static enum dbk_code load(struct dbk_tree *tree, int fd, const char *path,
                          struct dbk_error *err)
{
    struct header header;
    enum dbk_code code = read_whole(fd, &header, sizeof header, path, err);

    if (code == DBK_OK && (memcmp(header.magic, magic, sizeof magic) != 0 ||
                           sum_header(&header) != le32toh(header.own)))
        code = dbk_fail(err, DBK_DAMAGED, "%s is damaged, or no tree", path);
    if (code == DBK_OK)
        code = load_hashes(tree, fd, &header, path, err);
    if (code == DBK_OK)
        remember(tree, path, le64toh(header.count), le32toh(header.sum));
    return code;
}

enum dbk_code dbk_tree_load(struct dbk_tree *tree, const char *path,
                            struct dbk_error *err)
{
    int fd;
    enum dbk_code code = audit_dir_open(path, &fd, err);

    if (code != DBK_OK)
        return code;
    code = load(tree, fd, path, err);
    close(fd);
    if (code != DBK_OK)
        dbk_tree_clear(tree);
    return code;
}

static enum dbk_code write_at(int fd, const void *bytes, size_t length, off_t offset,
                              const char *path, struct dbk_error *err)
{
    if (lseek(fd, offset, SEEK_SET) < 0)
        return dbk_system_fail(err, "seek in", path);
    return dbk_write_all(fd, bytes, length, path, err);
}

/* Those behind the first `from`. */
static enum dbk_code write_hashes(struct dbk_tree *tree, int fd, uint64_t from,
                                  uint32_t sum, const char *path, struct dbk_error *err)
{
    const struct tree_level *kept = &tree->kept[0]; /* only who grows it changes it */
    size_t length = (kept->count - from) * sizeof *kept->nodes;
    off_t offset = (off_t)(sizeof(struct header) + from * sizeof *kept->nodes);
    struct header header = {.count = htole64(kept->count)};
    enum dbk_code code = DBK_OK;

    if (length > 0) {
        sum = libdeflate_crc32(sum, kept->nodes + from, length);
        code = write_at(fd, kept->nodes + from, length, offset, path, err);
    }
    memcpy(header.magic, magic, sizeof magic);
    header.sum = htole32(sum);
    header.own = htole32(sum_header(&header));
    if (code == DBK_OK)
        code = write_at(fd, &header, sizeof header, 0, path, err);
    if (code == DBK_OK)
        remember(tree, path, kept->count, sum);
    return code;
}

/* Whether what this tree wrote there is there still. */
static bool is_whole(int fd, const struct dbk_tree *tree)
{
    struct header header;
    struct stat status;

    return fstat(fd, &status) == 0 &&
           (uint64_t)status.st_size >=
               sizeof header + tree->file_count * sizeof(struct dbk_hash) &&
           pread(fd, &header, sizeof header, 0) == sizeof header &&
           !memcmp(header.magic, magic, sizeof magic) &&
           le64toh(header.count) == tree->file_count &&
           le32toh(header.sum) == tree->file_sum;
}

/* False: it must be written anew. */
static bool append(struct dbk_tree *tree, const char *path, enum dbk_code *code,
                   struct dbk_error *err)
{
    int fd;

    if (strcmp(tree->file, path) != 0 || tree->file_count > tree->kept[0].count)
        return false;
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (!is_whole(fd, tree)) {
        close(fd);
        return false;
    }
    *code = DBK_OK;
    if (tree->file_count < tree->kept[0].count)
        *code = write_hashes(tree, fd, tree->file_count, tree->file_sum, path, err);
    close(fd);
    return true;
}

enum dbk_code dbk_tree_save(struct dbk_tree *tree, const char *path,
                            struct dbk_error *err)
{
    char tmp[PATH_MAX];
    enum dbk_code code;
    int fd;

    if (append(tree, path, &code, err))
        return code;
    if (snprintf(tmp, sizeof tmp, "%s.tmp", path) >= (int)sizeof tmp)
        return dbk_fail(err, DBK_IO, "the path %s is too long", path);
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return dbk_system_fail(err, "make", tmp);
    tree->file[0] = '\0';
    code = write_hashes(tree, fd, 0, 0, path, err);
    if (code == DBK_OK && rename(tmp, path) != 0)
        code = dbk_system_fail(err, "rename to", path);
    close(fd);
    if (code != DBK_OK) {
        tree->file[0] = '\0';
        unlink(tmp);
    }
    return code;
}
