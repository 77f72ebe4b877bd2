/* gauges.h - what is looked up when it is asked for: each owner knows its own. */
#ifndef DBK_HTTP_GAUGES_H
#define DBK_HTTP_GAUGES_H

#include "service.h"
#include "store/render.h"

/* Waits for nothing that hangs; what is not known now is left out. */
void gauges_render(const struct service *service, struct dbk_render *out);

#endif
