/* Linked into the programs that count what runs: a process that ends by _exit, as the
 * children that read a log on behalf of others do, writes its counters too. */
#include <fcntl.h>
#include <unistd.h>

void __gcov_dump(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
    int null = open("/dev/null", O_WRONLY);

    /* Where it has become another user it may not write them, and says so for each file:
     * into the log of a server, whose lines a test counts. */
    if (null >= 0)
        dup2(null, STDERR_FILENO);
    __gcov_dump();
    __real__exit(status);
}
