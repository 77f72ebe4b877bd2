/* privileges_drop.h - becomes another user for good. Private to privileges.c. */
#ifndef DBK_TOOLS_PRIVILEGES_DROP_H
#define DBK_TOOLS_PRIVILEGES_DROP_H

#include "store/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct privileges_user {
    uid_t uid;
    gid_t gid;
    char name[33];
    char home[256]; /* "": none */
};

/* Become it, and look whether that has happened. DBK_IO. */
enum dbk_code privileges_drop(const struct privileges_user *user, bool low_port,
                              struct dbk_error *err);

/* Whether it may go into the directory (X_OK) or make something there (W_OK). Forks. */
bool privileges_reaches(const struct privileges_user *user, const char *dir, int how);

#endif
