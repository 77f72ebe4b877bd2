#include "map.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>

/* Find the mapping of a file, shared, that the address lies in. Dropping pages of any
 * other kind of mapping would lose what is in them. */
static bool find(uintptr_t address, uintptr_t *start, uintptr_t *end)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    bool found = false;
    char line[512];

    if (!maps)
        return false;
    while (!found && fgets(line, sizeof line, maps)) {
        char shared;
        unsigned long inode;

        found = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*3c%c %*s %*s %lu", start, end,
                       &shared, &inode) == 4 &&
                shared == 's' && inode != 0 && address >= *start && address < *end;
    }
    fclose(maps);
    return found;
}

void dbk_map_give_back(const void *address)
{
    uintptr_t start, end;

    if (find((uintptr_t)address, &start, &end))
        madvise((void *)start, end - start, MADV_DONTNEED);
}
