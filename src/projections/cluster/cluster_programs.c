#include "cluster_programs.h"

#include "projections/cluster.h"

#include "cluster_process.h"

#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define DEBIAN_ROOT "/usr/lib/postgresql/"

enum { ASK_MS = 10000 };

static bool program_in(const char *dir, size_t dir_length, const char *name,
                       char out[PATH_MAX])
{
    int length = snprintf(out, PATH_MAX, "%.*s/%s", (int)dir_length, dir, name);

    return length > 0 && length < PATH_MAX && out[0] == '/' && access(out, X_OK) == 0;
}

static bool programs_in(const char *dir, size_t length, int major,
                        struct cluster_programs *programs)
{
    programs->major = major;
    return program_in(dir, length, "postgres", programs->postgres) &&
           program_in(dir, length, "initdb", programs->initdb);
}

/* It says "postgres (PostgreSQL) 15.3 (...)". */
static int ask_major(const char *postgres)
{
    const char *argv[] = {postgres, "--version", NULL};
    struct cluster_user ourselves = {.drop = false};
    char answer[128] = "";
    const char *number;
    int fd = memfd_create("version", MFD_CLOEXEC);

    if (fd < 0)
        return 0;
    if (cluster_run(&ourselves, argv, fd, ASK_MS, NULL, NULL) != DBK_OK ||
        pread(fd, answer, sizeof answer - 1, 0) < 0)
        answer[0] = '\0';
    close(fd);
    number = strchr(answer, ')');
    return number ? (int)strtol(number + 1, NULL, 10) : 0;
}

static bool find_in_path(struct cluster_programs *programs)
{
    const char *path = getenv("PATH");

    while (path && *path) {
        size_t length = strcspn(path, ":");

        if (programs_in(path, length, 0, programs)) {
            programs->major = ask_major(programs->postgres);
            return true;
        }
        path += length;
        path += *path == ':';
    }
    return false;
}

static int major_of(const char *dir)
{
    return (int)strtol(dir + strlen(DEBIAN_ROOT), NULL, 10); /* "15/bin" */
}

/* The newest, or exactly the wanted version. */
static bool find_in_debian(int wanted, struct cluster_programs *programs)
{
    struct cluster_programs tried;
    glob_t dirs;

    programs->major = 0;
    if (glob(DEBIAN_ROOT "*/bin", GLOB_NOSORT, NULL, &dirs) != 0)
        return false;
    for (size_t i = 0; i < dirs.gl_pathc; i++) {
        const char *dir = dirs.gl_pathv[i];

        if (wanted ? major_of(dir) != wanted : major_of(dir) <= programs->major)
            continue;
        if (programs_in(dir, strlen(dir), major_of(dir), &tried))
            *programs = tried;
    }
    globfree(&dirs);
    return programs->major != 0;
}

enum dbk_code cluster_programs_find(int wanted, struct cluster_programs *programs,
                                    struct dbk_error *err)
{
    if (wanted > 0 && find_in_debian(wanted, programs))
        return DBK_OK;
    if (find_in_path(programs) || find_in_debian(0, programs))
        return DBK_OK;
    return dbk_fail(err, DBK_NOT_FOUND,
                    "no PostgreSQL server programs (postgres, initdb) in PATH or "
                    "in " DEBIAN_ROOT
                    "*/bin: install the package \"postgresql\", or set DB_HOST to a "
                    "server that runs");
}

enum dbk_code dbk_cluster_programs(char *text, size_t size, struct dbk_error *err)
{
    struct cluster_programs programs;
    enum dbk_code code = cluster_programs_find(0, &programs, err);

    if (code != DBK_OK)
        return code;
    if (programs.major > 0)
        snprintf(text, size, "%d (%s)", programs.major, programs.postgres);
    else
        snprintf(text, size, "(%s)", programs.postgres);
    return DBK_OK;
}
