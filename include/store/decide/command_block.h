/* command_block.h - room for many commands, which cost less to have together. Not
 * thread-safe. */
#ifndef DBK_STORE_DECIDE_COMMAND_BLOCK_H
#define DBK_STORE_DECIDE_COMMAND_BLOCK_H

#include "store/command.h"

struct dbk_command_block;

/* For `count` commands; NULL when out of memory. */
struct dbk_command_block *dbk_command_block_create(size_t count);

/* With all commands that were taken, which live so long: dbk_command_destroy leaves them
 * alone. NULL is fine. */
void dbk_command_block_destroy(struct dbk_command_block *block);

/* One of the block's, as dbk_command_create gives it: at most `count` of them. NULL: out of
 * memory. */
struct dbk_command *dbk_command_block_take(struct dbk_command_block *block);

#endif
