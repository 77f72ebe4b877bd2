#include "core.h"

#include <sys/resource.h>

/* Of 0 Linux takes no notice where core_pattern names a program (core(5)). 1 is too small
 * for a file, and means "none" to the other (in the kernel). PR_SET_DUMPABLE would end with
 * exec, and not reach PostgreSQL, which has rows in its memory. */
void core_forbid(void)
{
    const struct rlimit least = {1, 1}, none = {0, 0};

    if (setrlimit(RLIMIT_CORE, &least) != 0) /* the bound was 0 before */
        setrlimit(RLIMIT_CORE, &none);
}
