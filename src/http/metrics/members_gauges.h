/* members_gauges.h - of several copies of the log: which one leads, and how far this one
 * is, as Prometheus reads it. */
#ifndef DBK_HTTP_MEMBERS_GAUGES_H
#define DBK_HTTP_MEMBERS_GAUGES_H

#include "http/membership.h"
#include "store/render.h"

void members_gauges_render(const struct dbk_membership_look *look,
                           struct dbk_render *out);

#endif
