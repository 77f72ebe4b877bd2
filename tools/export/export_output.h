/* export_output.h - where an export goes: standard output, or a file that appears under
 * its name only when it is whole and on disk. */
#ifndef DBK_TOOLS_EXPORT_OUTPUT_H
#define DBK_TOOLS_EXPORT_OUTPUT_H

#include "store/error.h"

#include <limits.h>
#include <stdbool.h>

struct export_output {
    int fd;
    const char *path; /* NULL: standard output */
    bool force;
    char partial[PATH_MAX]; /* the file while it is written: path.partial */
};

/* Open path.partial, or take standard output where path is NULL or "-". path is borrowed
 * until the end. With force a file at path will be replaced.
 *
 * DBK_EXISTS    there is a file at path, and no force; or what is there is no file
 * DBK_CONFLICT  another process writes path.partial
 * DBK_IO, DBK_NO_ROOM
 */
enum dbk_code export_output_open(const char *path, bool force,
                                 struct export_output *output, struct dbk_error *err);

/* Make it durable, and give it its name. Closes; what was begun is removed on failure.
 * DBK_EXISTS: a file has come to be there meanwhile. DBK_IO, DBK_NO_ROOM. */
enum dbk_code export_output_keep(struct export_output *output, struct dbk_error *err);

/* Remove what was begun. */
void export_output_discard(struct export_output *output);

#endif
