/* plural.h - a number and what it counts: "2 records", "1 record", "1 index". */
#ifndef DBK_TOOLS_PLURAL_H
#define DBK_TOOLS_PLURAL_H

#include <stdint.h>

struct plural {
    char text[64];
};

/* many is the plural, in -s, or -es behind an x. */
struct plural plural(uint64_t count, const char *many);

#endif
