/* backup_keys_tell.h - what is said of the keys in a backup that was made. */
#ifndef DBK_TOOLS_BACKUP_KEYS_TELL_H
#define DBK_TOOLS_BACKUP_KEYS_TELL_H

#include "backup_keys.h"

void backup_keys_print_json(const struct backup_keys *keys); /* the value of "keys" */
void backup_keys_print(const struct backup_keys *keys);      /* a line, or none */

/* On stderr: what is wrong with them, and what it means that they are there. */
void backup_keys_tell(const struct backup_keys *keys);

#endif
