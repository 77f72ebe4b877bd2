/* Linked into the programs that count what runs: a process that ends by _exit, as the
 * children that read a log on behalf of others do, writes its counters too. */
void __gcov_dump(void);
_Noreturn void __real__exit(int status);
_Noreturn void __wrap__exit(int status);

_Noreturn void __wrap__exit(int status)
{
    __gcov_dump();
    __real__exit(status);
}
