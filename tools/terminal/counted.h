/* counted.h - a number and what it counts: "2 records", "1 record", "1 index". */
#ifndef DBK_TOOLS_COUNTED_H
#define DBK_TOOLS_COUNTED_H

#include <stdint.h>

struct counted {
    char text[64];
};

/* many is the plural, in -s, or -es behind an x. */
struct counted counted(uint64_t count, const char *many);

#endif
