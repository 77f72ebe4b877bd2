#include "backup_keys_tell.h"

#include <stdio.h>

void backup_keys_print_json(const struct backup_keys *keys)
{
    char at[DBK_TIMESTAMP_TEXT + 1];

    if (!keys->copied) {
        fputs("null", stdout);
        return;
    }
    dbk_timestamp_format(keys->of.at, at);
    printf("{\"at\":\"%s\",\"master\":%s}", at, keys->master ? "true" : "false");
}

void backup_keys_print(const struct backup_keys *keys)
{
    char at[DBK_TIMESTAMP_TEXT + 1];

    if (!keys->copied)
        return;
    dbk_timestamp_format(keys->of.at, at);
    printf("keys          the ring%s, as of %.19s\n",
           keys->master ? " and the master key" : "", at);
}

/* Who reads it decides how many such he keeps. */
void backup_keys_tell(const struct backup_keys *keys)
{
    char at[DBK_TIMESTAMP_TEXT + 1];

    if (*keys->why)
        fprintf(stderr, "daybook backup: it is %s: %s\n",
                keys->before ? "not with the keys of now, but with those that it had"
                             : "without its keys, and nobody can read a name in it",
                keys->why);
    if (!keys->copied)
        return;
    dbk_timestamp_format(keys->of.at, at);
    fprintf(stderr,
            "daybook backup: who is erased after %.19s can still be read from this "
            "one, %s: "
            "keep many generations of the log, one of the keys (--without-keys)\n",
            at,
            keys->master ? "for as long as it is kept"
                         : "with the master key, until daybook keys rotate");
}
