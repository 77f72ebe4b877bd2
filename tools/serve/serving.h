/* serving.h - what `daybook serve` runs: its parts, from the first that is started to the
 * last, and what it says of them. Nothing of how it is started: serve_start.h. */
#ifndef DBK_TOOLS_SERVING_H
#define DBK_TOOLS_SERVING_H

#include "cluster_options.h"
#include "expiry.h"
#include "http/membership.h"
#include "http/server.h"
#include "projections/projector.h"
#include "projections/read_model.h"
#include "shared_tokens.h"
#include "store/history.h"
#include "store/log.h"
#include "store/proof/notary.h"
#include "tool_data.h"

#include <stdbool.h>
#include <stdint.h>

/* In the order in which they are started; NULL: not yet. The parts ask it while they run, so
 * it stays where it is until they are stopped. */
struct serving {
    const struct tool *tool;
    int lock;   /* of the data directory; -1: not taken */
    bool make;  /* there is no log, and one may be made */
    bool joins; /* a cluster */
    bool cluster_known, cluster_sealed;
    struct dbk_uuid cluster_id; /* of its log, where known */
    struct cluster_options cluster;
    struct dbk_log *log;
    struct tool_database database;
    struct dbk_projector *projector;
    struct dbk_standby_options standbys;
    struct dbk_read_model *model;
    struct dbk_history *history;
    struct dbk_policy *policy;    /* of witnesses; NULL: none */
    struct dbk_notary *notary;    /* NULL also where it is not wanted */
    struct shared_tokens *tokens; /* this and the next: where it joins */
    struct dbk_replica *replica;
    struct dbk_membership membership;
    struct expiry *expiry; /* NULL also without RETENTION */
    struct dbk_server *server;
    _Atomic int64_t reads_end; /* when reads are no longer waited for; 0: never */
};

/* A line of what goes on. */
void serving_say(const struct serving *serving, const char *message);

/* The same, with a value under its key. */
void serving_say_with(const struct serving *serving, const char *message,
                      const char *key, const char *value);

/* And one of what an operator should look at. */
void serving_warn(const struct serving *serving, const char *message);

/* The context of the reports (serve_report.h), which take a plain pointer: they only read
 * what it points to. Borrowed from the tool. */
void *serving_logger(const struct serving *serving);

#endif
