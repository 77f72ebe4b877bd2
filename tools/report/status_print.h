/* status_print.h - what `daybook status` found out, and its two forms. */
#ifndef DBK_TOOLS_STATUS_PRINT_H
#define DBK_TOOLS_STATUS_PRINT_H

#include "audit_look.h"
#include "backup_last.h"
#include "keys_look.h"
#include "leftovers.h"
#include "projections/projector.h"
#include "projections/rebuild.h"
#include "server_look.h"
#include "store/keys_used.h"
#include "store/log.h"
#include "store/replicated.h"
#include "tool_data.h"

#include <stdbool.h>

#define STATUS_QUARANTINE_MAX 100 /* persons listed; the count tells of all */
#define STATUS_SCHEMAS_MAX 100    /* schemas listed */

struct status {
    struct dbk_log_stats log;
    uint64_t expired; /* up to which record events are forgotten by age; 0: none is */
    dbk_timestamp expired_at; /* when that was recorded */
    struct dbk_log_due due;   /* what RETENTION has come to; zeroed where that is off */
    struct server_look server;
    bool member; /* of a cluster, at this place */
    struct dbk_place place;
    struct backup_last backup;
    struct audit_look audit;
    struct keys_look keys;
    struct leftovers leftovers;
    bool asked;   /* the read tables answered */
    bool foreign; /* they are not this log's as it is, or another server has them */
    char why_foreign[512];
    char why_not[512]; /* where they were not asked, or could not be */
    struct dbk_tables_state tables;
    struct status_quarantined {
        char person[DBK_UUID_TEXT + 1];              /* "": an anonymous id, */
        char anonymous_id[DBK_ANONYMOUS_ID_MAX + 1]; /* or "" too: a record not read */
        uint64_t sequence;
        char reason[256];
        char at[32];
    } quarantine[STATUS_QUARANTINE_MAX];
    size_t quarantine_count;
    char postgres[512]; /* host, or directory of the socket; "" where not asked */
    struct status_schema {
        char name[64];
        struct dbk_side_schema is; /* but for its name */
    } schemas[STATUS_SCHEMAS_MAX];
    size_t schema_count;
    struct dbk_cluster_size cluster; /* dir "": DB_HOST names a server */
};

/* Records that the tables are behind the log. */
uint64_t status_lag(const struct status *status);

void status_print_text(const struct status *status);
void status_print_json(const struct status *status);

#endif
