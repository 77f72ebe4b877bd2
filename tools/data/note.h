/* note.h - a line in a file of the data directory, there whole or not at all. */
#ifndef DBK_TOOLS_NOTE_H
#define DBK_TOOLS_NOTE_H

#include "store/error.h"

#include <stdbool.h>
#include <stddef.h>

/* Read the first line of dir/name into text, cut to what fits. *there is whether there is
 * such a file; "" where not. DBK_IO. */
enum dbk_code note_read(const char *dir, const char *name, char *text, size_t size,
                        bool *there, struct dbk_error *err);

/* Put the line in its place, for its owner only and durably; NAME.tmp until then. "" makes
 * an empty file. DBK_IO, DBK_NO_ROOM, DBK_NO_MEMORY. */
enum dbk_code note_write(const char *dir, const char *name, const char *line,
                         struct dbk_error *err);

#endif
