#include "request_count.h"

#include "routes.h"
#include "status.h"
#include "store/metrics.h"

#include <stdio.h>
#include <string.h>

#define OTHER (DBK_METRIC_ROUTES - 1)

void request_count(const struct request *rq, const struct response *rs, int64_t took_us)
{
    size_t route = rq->match.route ? (size_t)(rq->match.route - routes) : OTHER;
    size_t status = status_place(response_status(rs));

    dbk_metric_add_to(DBK_METRIC_REQUESTS, route * DBK_METRIC_STATUSES + status, 1);
    dbk_metric_observe_in(DBK_HISTOGRAM_REQUEST, route,
                          took_us > 0 ? (uint64_t)took_us : 0);
}

void request_count_route(size_t series, char labels[REQUEST_COUNT_LABELS])
{
    bool known = series < routes_count;

    snprintf(labels, REQUEST_COUNT_LABELS, "route=\"%s\",method=\"%s\"",
             known ? routes[series].path : "other",
             known ? routes[series].method : "other");
}

void request_count_status(size_t series, char labels[REQUEST_COUNT_LABELS])
{
    size_t used;

    request_count_route(series / DBK_METRIC_STATUSES, labels);
    used = strlen(labels);
    snprintf(labels + used, REQUEST_COUNT_LABELS - used, ",status=\"%d\"",
             status_at(series % DBK_METRIC_STATUSES));
}
