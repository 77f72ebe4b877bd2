/* health.h - whether the server does what it is there for. What GET /health, its
 * /health/ready and GET /metrics tell is one look, so that they tell the same. It waits for
 * nothing: it is what the writer, the projector and the prober have found out. */
#ifndef DBK_HTTP_HEALTH_H
#define DBK_HTTP_HEALTH_H

#include "service.h"
#include "store/keys_used.h"
#include "store/log.h"

struct health {
    struct dbk_log_health log;
    struct dbk_log_gauges log_gauges;
    uint64_t expired;       /* the last event that is; 0: none is, or it is not known */
    struct dbk_log_due due; /* what RETENTION has come to; zeroed where that is off */
    struct dbk_projector_status tables; /* zeroed where there are none */
    uint64_t lag;                       /* records that the tables lack */
    int64_t unanswered_ms; /* for so long PostgreSQL has not answered; 0: it does */
    bool refused;          /* reads get no connection from it */
    struct dbk_error why;  /* they do not */
    bool member; /* the log is one of several copies, and this is where it is: */
    struct dbk_membership_look members; /* zeroed where it is not */
    bool shows_details;                 /* whoever asks may be told hosts and files */
};

void health_look(const struct service *service, struct health *out);

/* Why writes fail, for whoever may be told so much; "ok": they do not. */
const char *health_writes(const struct health *health);

/* "following", or why the tables do not. The state may name hosts and reasons: for others
 * than the operator it is a word or two. */
const char *health_projection(const struct health *health);

/* Why it is not with the other copies, or why nobody takes writes. False: neither. */
bool health_members_fail(const struct health *health, char *why, size_t size);
/* The first of these alone: what it has may be old, and gets older. */
bool health_is_cut_off(const struct health *health, char *why, size_t size);

/* Why the tables cannot be asked. False: they can, however old they may be. */
bool health_reads_fail(const struct service *service, const struct health *health,
                       char *why, size_t size);

/* Why clients should not be sent here; none: they should. */
#define READY_REASONS_MAX 5
struct ready {
    size_t count;
    struct ready_reason {
        const char *code; /* "stopping", "member", "log", "room", "postgresql", "lag" */
        char message[256];
    } reasons[READY_REASONS_MAX];
};
void ready_look(const struct service *service, const struct health *health,
                struct ready *out);

#endif
