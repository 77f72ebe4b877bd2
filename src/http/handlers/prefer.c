#include "prefer.h"

#include <string.h>
#include <strings.h>

/* The number in "wait=5" or "wait = 5", or -1. */
static int wait_of(const char *preference)
{
    int seconds = 0;
    size_t digits;

    if (strncasecmp(preference, "wait", 4) != 0)
        return -1;
    preference += 4 + strspn(preference + 4, " \t");
    if (*preference++ != '=')
        return -1;
    preference += strspn(preference, " \t");
    digits = strspn(preference, "0123456789");
    if (digits == 0 || strcspn(preference + digits, " \t,;") != 0)
        return -1;
    for (size_t i = 0; i < digits && seconds <= PREFER_WAIT_MAX; i++)
        seconds = seconds * 10 + (preference[i] - '0');
    return seconds < PREFER_WAIT_MAX ? seconds : PREFER_WAIT_MAX;
}

bool prefer_wait(const char *header, int *seconds)
{
    for (; header && *header; header += strcspn(header, ",")) {
        header += strspn(header, ", \t");
        int found = wait_of(header);
        if (found >= 0) {
            *seconds = found;
            return true;
        }
    }
    return false;
}
