#include "mistyped.h"

#include "config.h"
#include "suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_MAX_LENGTH 40

/* Others' variables are not to be taken for ours, so no more than a letter. */
enum { EDITS_MAX = 1 };

/* DB_PASSWORD goes on where DB_PASS ends, in the midst of a word. */
static bool goes_on(const char *name, size_t length, const char *known)
{
    size_t begin = strlen(known);

    return strchr(known, '_') && length > begin && !memcmp(name, known, begin) &&
           isupper((unsigned char)name[begin]);
}

/* What a name of so many letters means; NULL: nothing, or just what it says. */
static const char *meant(const char *name, size_t length)
{
    struct suggestion near = {0};

    if (length > NAME_MAX_LENGTH || !memchr(name, '_', length))
        return NULL;
    for (int i = 0; i < SETTING_COUNT; i++) {
        const char *known = config_table[i].name;

        if (goes_on(name, length, known))
            near = (struct suggestion){known, EDITS_MAX};
        suggest(&near, name, length, known);
        if (near.best && near.distance == 0)
            return NULL;
    }
    return near.best && near.distance <= EDITS_MAX ? near.best : NULL;
}

static bool tell(const char *name, size_t length, const char *origin,
                 char out[MISTYPED_MAX])
{
    const char *known = meant(name, length);

    if (known)
        snprintf(out, MISTYPED_MAX, "%.*s from %s is no setting; did you mean %s?",
                 (int)length, name, origin, known);
    return known != NULL;
}

void mistyped_find(const struct dotenv *dotenv, char out[MISTYPED_MAX])
{
    char origin[48];

    out[0] = '\0';
    for (size_t i = 0; i < dotenv->count; i++) {
        const struct dotenv_entry *entry = &dotenv->entries[i];

        snprintf(origin, sizeof origin, ".env line %u", entry->line);
        if (tell(entry->name, strlen(entry->name), origin, out))
            return;
    }
    for (char **at = environ; *at; at++) {
        size_t length =
            strspn(*at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"); /* else not ours */

        if ((*at)[length] == '=' && tell(*at, length, "the environment", out))
            return;
    }
}
