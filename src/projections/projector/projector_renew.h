/* projector_renew.h - connects anew a while after somebody was erased: what was sent of a person
 * is still in libpq's buffers, in the memory of the server's process, and in ours. */
#ifndef DBK_PROJECTIONS_PROJECTOR_RENEW_H
#define DBK_PROJECTIONS_PROJECTOR_RENEW_H

#include "projector_wait.h"

/* A connection as the projector has one. Errors as pg_open. */
enum dbk_code projector_open(struct dbk_projector *projector, struct pg **pg,
                             struct dbk_error *err);

/* Whether it is time to end the session for that. */
bool projector_renew_due(struct dbk_projector *projector);

/* At the end of a session for that: connect, and have the new connection wait for the lock of
 * the tables while the former has it, so that nobody comes between; then close that.
 * projector->next receives it. Where that cannot be the next session connects by itself. */
void projector_renew(struct dbk_projector *projector);

/* There is no next session for it. */
void projector_drop_next(struct dbk_projector *projector);

/* The session is over, its connection closed: where there was an erasure in it, give back the
 * memory that has texts, and note it. */
void projector_renewed(struct dbk_projector *projector);

#endif
