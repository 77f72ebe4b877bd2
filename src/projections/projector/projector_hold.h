/* projector_hold.h - one projector for the tables of a schema.
 *
 * Servers with copies of one data directory, or with two of their own, may be given one
 * database and schema by mistake. The first has a lock of its session; the others answer no
 * reads, tell who has it, and take over when it is gone. Where a connection is lost without
 * either side knowing, the epoch of the checkpoint keeps the one before from moving it
 * (poster_load), and so that it does not answer from tables that are another's by then,
 * whoever takes them over from one that has not given them up waits until that one must
 * have noticed.
 */
#ifndef DBK_PROJECTIONS_PROJECTOR_HOLD_H
#define DBK_PROJECTIONS_PROJECTOR_HOLD_H

#include "projector_wait.h"

/* On the connection just opened, before anything is changed.
 * DBK_BUSY: another one has the tables; err names it. And as pg_run. */
enum dbk_code projector_hold(struct dbk_projector *projector, struct dbk_error *err);

/* Before the connection is closed: give them up, if that can be done. */
void projector_leave(struct dbk_projector *projector);

#endif
