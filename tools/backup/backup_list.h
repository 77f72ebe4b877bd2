/* backup_list.h - daybook backup list: the backups in a folder, and whether they are whole. */
#ifndef DBK_TOOLS_BACKUP_LIST_H
#define DBK_TOOLS_BACKUP_LIST_H

#include "command.h"

enum tool_exit backup_list_run(const struct tool *tool, const char *dir);

#endif
