/* notary_watch.h - files of the audit directory that others change while the notary runs. */
#ifndef DBK_STORE_NOTARY_WATCH_H
#define DBK_STORE_NOTARY_WATCH_H

#include "notary_private.h"

#include <sys/stat.h>

/* A file as it was last looked at; zeroed: not yet. */
struct notary_mark {
    struct timespec modified;
    ino_t inode;
};

/* Whether the file of the directory is another one since, which the mark is then of. One
 * that is not there any more is no change. */
bool notary_mark_moved(struct notary_mark *mark, const char *dir, const char *name);

/* What the notary has seen of witnesses; of its thread. */
struct notary_cosigned {
    struct notary_mark cosigned, witnesses;
    struct dbk_vkey key; /* that `cosigned` was read for */
    bool told_behind;
};

/* Look what they have signed, and how they are; tell what has changed. */
void notary_cosigned_look(struct notary_cosigned *cosigned, struct dbk_notary *notary);

#endif
