/* config_value.h - reads the text of one setting, by its kind. Private to config.c. */
#ifndef DBK_TOOLS_CONFIG_VALUE_H
#define DBK_TOOLS_CONFIG_VALUE_H

#include "config.h"

struct config_value {
    char *text;     /* owned: as it was given; lists: cut into their items */
    char **items;   /* owned: of a list, ends with NULL; NULL where it is empty */
    int64_t number; /* all kinds with a number; CONFIG_BOOLEAN: 0 or 1 */
};

/* Read text as entry's kind. On failure err says what is allowed, but not which
 * setting: that is the caller's to add. DBK_INVALID, DBK_NO_MEMORY. */
enum dbk_code config_value_read(const struct config_entry *entry, const char *text,
                                struct config_value *out, struct dbk_error *err);
void config_value_finish(struct config_value *value);

#endif
