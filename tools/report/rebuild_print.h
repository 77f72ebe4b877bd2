/* rebuild_print.h - what rebuild and replay say of who was erased, and of what is expired. */
#ifndef DBK_TOOLS_REBUILD_PRINT_H
#define DBK_TOOLS_REBUILD_PRINT_H

#include "projections/rebuild.h"

/* A line on standard output for each of them that there is. */
void rebuild_print_left_out(const struct dbk_rebuild_result *result);

#endif
