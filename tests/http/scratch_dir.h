/* scratch_dir.h - a directory of a test's own. */
#ifndef DBK_TESTS_HTTP_SCRATCH_DIR_H
#define DBK_TESTS_HTTP_SCRATCH_DIR_H

#include "check.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#define SCRATCH_DIR_MAX 64

static inline void scratch_dir_make(char dir[SCRATCH_DIR_MAX])
{
    strcpy(dir, "/tmp/daybook-http-XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static inline int scratch_dir_remove_one(const char *path, const struct stat *stat,
                                         int type, struct FTW *ftw)
{
    (void)stat, (void)type, (void)ftw;
    return remove(path);
}

/* With all that is in it. */
static inline void scratch_dir_remove(const char *dir)
{
    nftw(dir, scratch_dir_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
