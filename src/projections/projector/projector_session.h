/* projector_session.h - one connection's life. */
#ifndef DBK_PROJECTIONS_PROJECTOR_SESSION_H
#define DBK_PROJECTIONS_PROJECTOR_SESSION_H

#include "projector_wait.h"

/* Connect and follow the log until the stop, or a while after an erasure (DBK_OK), or a
 * failure. */
enum dbk_code projector_session(struct dbk_projector *projector, struct dbk_error *err);

#endif
