/* streams.h - the three standard streams, of which the caller may have closed some. */
#ifndef DBK_TOOLS_STREAMS_H
#define DBK_TOOLS_STREAMS_H

#include <stdbool.h>

/* Put something in the place of each one that is closed, before any other file is opened:
 * a file of the log that got its number would be read for input, or be printed over. What
 * is put there refuses: reading from it, or printing to it, fails and so is told, as it
 * is for a closed one. False where that cannot be done. */
bool streams_fill(void);

#endif
