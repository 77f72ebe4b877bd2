/* rebuild_print.h - what rebuild and replay say of who was erased. */
#ifndef DBK_TOOLS_REBUILD_PRINT_H
#define DBK_TOOLS_REBUILD_PRINT_H

#include "projections/rebuild.h"

/* A line on standard output, where anybody was. */
void rebuild_print_erased(const struct dbk_rebuild_result *result);

#endif
