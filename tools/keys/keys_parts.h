/* keys_parts.h - the parts of `daybook keys`, each a word behind it. */
#ifndef DBK_TOOLS_KEYS_PARTS_H
#define DBK_TOOLS_KEYS_PARTS_H

#include "command.h"

enum tool_exit keys_init(const struct tool *tool);
enum tool_exit keys_status(const struct tool *tool);
enum tool_exit keys_backup(const struct tool *tool);
enum tool_exit keys_rotate(const struct tool *tool);

#endif
