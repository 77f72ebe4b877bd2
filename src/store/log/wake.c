#include "wake.h"

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(_Atomic uint32_t) == 4, "what the kernel looks at");

void wake_sleep(struct wake *wake, uint32_t seen)
{
    syscall(SYS_futex, &wake->word, FUTEX_WAIT_PRIVATE, seen, NULL, NULL, 0);
}

void wake_all(struct wake *wake)
{
    atomic_fetch_add(&wake->word, 1);
    syscall(SYS_futex, &wake->word, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}
