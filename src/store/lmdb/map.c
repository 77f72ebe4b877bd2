#include "map.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/mman.h>

/* The next mapping of a file that is shared. Dropping pages of any other kind would lose
 * what is in them. */
static bool next_shared(FILE *maps, uintptr_t *start, uintptr_t *end)
{
    unsigned long inode;
    char line[512], shared;

    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*3c%c %*s %*s %lu", start, end,
                   &shared, &inode) == 4 &&
            shared == 's' && inode != 0)
            return true;
    }
    return false;
}

static bool find(uintptr_t address, uintptr_t *start, uintptr_t *end)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    bool found = false;

    if (!maps)
        return false;
    while (!found && next_shared(maps, start, end))
        found = address >= *start && address < *end;
    fclose(maps);
    return found;
}

bool map_find(size_t size, uintptr_t after, uintptr_t *start, uintptr_t *end)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    bool found = false;

    if (!maps)
        return false;
    while (!found && next_shared(maps, start, end))
        found = *start >= after && *end - *start == size;
    fclose(maps);
    return found;
}

void map_give_back(const void *address)
{
    uintptr_t start, end;

    if (find((uintptr_t)address, &start, &end))
        madvise((void *)start, end - start, MADV_DONTNEED);
}
