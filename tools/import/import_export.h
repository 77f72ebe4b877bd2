/* import_export.h - makes a log of an export, byte for byte the one that was exported. */
#ifndef DBK_TOOLS_IMPORT_EXPORT_H
#define DBK_TOOLS_IMPORT_EXPORT_H

#include "command.h"
#include "export_reader.h"

/* Read the export that source gives (it is taken over) into the empty data directory of
 * tool's settings, and say how it went. path is for what is told. Nothing is left behind
 * where it fails. Signals must be held (signals.h). */
enum tool_exit import_export(const struct tool *tool, const char *path,
                             struct compress_reader *source, enum export_format format);

#endif
