/* routes.h - the one table of what the API has. dispatch.c looks requests up in it, and a
 * test keeps /openapi.json equal to it. */
#ifndef DBK_HTTP_ROUTES_H
#define DBK_HTTP_ROUTES_H

#include "router.h"

extern const struct route routes[];
extern const size_t routes_count;

/* The path that is meant: what browsers and people ask for by habit stands for one of the
 * table's. Any other is returned as it is. */
const char *routes_meant(const char *path);

#endif
