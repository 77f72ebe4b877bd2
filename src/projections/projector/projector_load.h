/* projector_load.h - new tables of a long log, loaded as by a rebuild instead of posted. */
#ifndef DBK_PROJECTIONS_PROJECTOR_LOAD_H
#define DBK_PROJECTIONS_PROJECTOR_LOAD_H

#include "projector_wait.h"

/* Where nothing was ever posted to the tables, and much is to be: load it. Until that is
 * done projection does not run. Where it cannot be done that is told, and the log is to be
 * posted as usual.
 * DBK_UNAVAILABLE: it is time to end, or to hold; and as poster_load. */
enum dbk_code projector_load(struct dbk_projector *projector, struct dbk_error *err);

#endif
