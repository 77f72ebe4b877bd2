/* The stop of `daybook serve`. */
#include "lock.h"
#include "serve_start.h"
#include "serve_steps.h"
#include "server_look.h"
#include "store/clock.h"

#define DRAIN_MS 2000 /* for requests under way; the whole stop has 5 s */

void serve_stop(struct serving *serving)
{
    if (serving->server) {
        serving_say(serving, "stopping: finishing requests");
        server_look_leave(serving->lock, NULL, 0);
        serving->reads_end = dbk_clock_ms() + DRAIN_MS;
        dbk_server_stop(serving->server, DRAIN_MS);
    }
    expiry_stop(serving->expiry);
    serve_leave_cluster(serving);
    dbk_notary_stop(serving->notary);
    dbk_policy_destroy(serving->policy);
    dbk_history_close(serving->history);
    dbk_read_model_close(serving->model); /* it asks the projector */
    if (serving->projector) {
        serving_say(serving, "stopping: projector");
        dbk_projector_stop(serving->projector);
    }
    if (serving->database.cluster)
        serving_say(serving, "stopping: private PostgreSQL");
    tool_database_close(&serving->database);
    if (serving->log) {
        serving_say(serving, "stopping: log");
        dbk_log_close(serving->log);
    }
    lock_release(serving->lock);
}
