/* import_export.h - makes a log of an export, byte for byte the one that was exported. */
#ifndef DBK_TOOLS_IMPORT_EXPORT_H
#define DBK_TOOLS_IMPORT_EXPORT_H

#include "command.h"
#include "export_reader.h"
#include "progress.h"

/* Read the export that source gives (it is taken over) into the empty data directory of
 * tool's settings, and say how it went. path is for what is told. Nothing is left behind
 * where it fails. Signals must be held (signals.h). */
enum tool_exit import_export(const struct tool *tool, const char *path,
                             struct compress_reader *source, enum export_format format);

/* Make a log of the whole export in the file at path, in the directory dir, which must not
 * be there; of a sealed one by the ring in the data directory of tool's settings. DBK_DAMAGED,
 * DBK_INVALID: it is no whole export. DBK_NOT_FOUND: there is no ring. Else as export_reader_next and
 * dbk_log_builder_add; what is in dir is of no use then. */
enum dbk_code import_export_fill(const struct tool *tool, const char *path,
                                 const char *dir, struct progress *progress,
                                 struct dbk_error *err);

#endif
