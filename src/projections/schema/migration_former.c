/* The texts that migrations have had. A migration that was applied keeps its text; where one
 * has to change, because a newer PostgreSQL refuses it, what it makes stays the same for
 * everyone who reads it, and the checksum of the text before is added here. So tables made by
 * that text count as made by this one. */
#include "migration_log.h"

#include <string.h>

static const struct {
    int version;
    const char *checksum;
} former[] = {
    /* Its newest_events had a column json, a name that PostgreSQL 17 reserves. */
    {1, "40913dcb8b97babbe4b04db5f2bc61d64677428e113730080aa4c7e13d6295d3"},
};

bool migration_was(int version, const char *checksum)
{
    for (size_t i = 0; i < sizeof former / sizeof *former; i++) {
        if (former[i].version == version && !strcmp(former[i].checksum, checksum))
            return true;
    }
    return false;
}
