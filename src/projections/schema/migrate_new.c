/* The two files of a new migration. */
#include "projections/migrate.h"
#include "store/durable.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_LENGTH 60
#define NUMBER_MAX 9999

/* "Add country!" -> "add_country". */
static void make_name(const char *description, char out[NAME_MAX_LENGTH + 1])
{
    size_t length = 0;

    for (; *description && length < NAME_MAX_LENGTH; description++) {
        unsigned char c = (unsigned char)*description;

        if (c < 0x80 && isalnum(c))
            out[length++] = (char)tolower(c);
        else if (length > 0 && out[length - 1] != '_')
            out[length++] = '_';
    }
    while (length > 0 && out[length - 1] == '_')
        length--;
    out[length] = '\0';
}

/* The number of a file of migrations, 0 for any other file. */
static long number_of(const char *file)
{
    size_t digits = strspn(file, "0123456789");

    return digits >= 4 && digits <= 6 && file[digits] == '_' ? atol(file) : 0;
}

static enum dbk_code last_number(const char *dir, long *last, struct dbk_error *err)
{
    struct dirent *entry;
    DIR *stream = opendir(dir);

    if (!stream)
        return dbk_fail(err, DBK_IO, "Cannot read the directory %s: %s", dir,
                        strerror(errno));
    *last = 0;
    while ((entry = readdir(stream)) != NULL) {
        long number = number_of(entry->d_name);

        *last = number > *last ? number : *last;
    }
    closedir(stream);
    return DBK_OK;
}

static enum dbk_code make_file(const char *path, struct dbk_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0 && errno == EEXIST)
        return dbk_fail(err, DBK_EXISTS, "%s exists already", path);
    if (fd < 0)
        return dbk_system_fail(err, "Cannot make", path);
    close(fd);
    return DBK_OK;
}

enum dbk_code dbk_migrate_new(const char *dir, const char *description, char *path_up,
                              size_t path_size, struct dbk_error *err)
{
    char name[NAME_MAX_LENGTH + 1], path_down[4096];
    enum dbk_code code;
    int up, down;
    long last;

    make_name(description, name);
    if (!*name)
        return dbk_fail(err, DBK_INVALID, "A description needs letters or digits");
    code = last_number(dir, &last, err);
    if (code != DBK_OK)
        return code;
    if (last >= NUMBER_MAX)
        return dbk_fail(err, DBK_INVALID, "Migration %ld is the last number there is",
                        last);
    up = snprintf(path_up, path_size, "%s/%04ld_%s.up.sql", dir, last + 1, name);
    down = snprintf(path_down, sizeof path_down, "%s/%04ld_%s.down.sql", dir, last + 1,
                    name);
    if (up < 0 || (size_t)up >= path_size || down < 0 ||
        (size_t)down >= sizeof path_down)
        return dbk_fail(err, DBK_INVALID, "The path %s is too long", dir);
    code = make_file(path_up, err);
    if (code != DBK_OK)
        return code;
    code = make_file(path_down, err);
    if (code != DBK_OK)
        unlink(path_up);
    return code;
}
