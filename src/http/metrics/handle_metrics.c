/* GET /metrics: all that is counted, and what is looked up, as Prometheus reads it. */
#include "counted.h"
#include "exposition.h"
#include "gauges.h"
#include "handlers.h"
#include "process.h"
#include "request.h"
#include "response.h"

enum dbk_code handle_metrics(struct request *rq, struct response *rs,
                             struct dbk_error *err)
{
    struct dbk_metrics *metrics = dbk_metrics_take();

    if (!metrics)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to add up what was counted");
    counted_render(metrics, &rs->body);
    dbk_metrics_free(metrics);
    gauges_render(rq->service, &rs->body);
    process_render(&rs->body);
    if (dbk_render_code(&rs->body) != DBK_OK)
        return dbk_fail(err, dbk_render_code(&rs->body), "no memory for the metrics");
    rs->content_type = EXPOSITION_TYPE;
    rs->status = 200;
    return DBK_OK;
}
