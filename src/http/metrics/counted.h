/* counted.h - what is counted (store/metrics.h), as Prometheus reads it. */
#ifndef DBK_HTTP_COUNTED_H
#define DBK_HTTP_COUNTED_H

#include "store/metrics.h"
#include "store/render.h"

/* Each counter and histogram. Of requests only those series that have counted one: most
 * combinations of route and status never do. */
void counted_render(const struct dbk_metrics *metrics, struct dbk_render *out);

/* The name of a pool of connections, as the label has it. Static. */
const char *counted_pool(enum dbk_metric_pool pool);

#endif
