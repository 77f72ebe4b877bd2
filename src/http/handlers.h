/* handlers.h - one function a route, each in the file of its resource. */
#ifndef DBK_HTTP_HANDLERS_H
#define DBK_HTTP_HANDLERS_H

#include "routes.h"

handler handle_index, handle_docs, handle_docs_file, handle_openapi; /* pages */
handler handle_console, handle_console_file;                         /* pages */
handler handle_list_persons, handle_get_person;                      /* read */
handler handle_post_person, handle_delete_person;                    /* write */
handler handle_put_person, handle_patch_person;                      /* update */
handler handle_get_person_by, handle_put_person_by;                  /* by */
handler handle_patch_person_by, handle_delete_person_by;
handler handle_post_alias, handle_list_aliases, handle_delete_alias; /* aliases */
handler handle_post_alias_by, handle_list_aliases_by, handle_delete_alias_by;
handler handle_list_events, handle_get_event;                         /* read */
handler handle_post_event, handle_post_event_at, handle_delete_event; /* write */
handler handle_post_batch;
handler handle_stats, handle_types, handle_funnel, handle_retention; /* statistics */
handler handle_list_log, handle_get_record, handle_stream;           /* feed */
handler handle_person_history, handle_person_export;
handler handle_post_restriction, handle_get_restriction, handle_delete_restriction;
handler handle_get_receipt;
handler handle_checkpoint, handle_tile, handle_get_proof; /* proof */
handler handle_list_quarantine, handle_retry_quarantine;  /* admin */
handler handle_list_tokens, handle_post_token, handle_delete_token;
handler handle_get_own_token;
handler handle_get_rebuild, handle_post_rebuild, handle_delete_rebuild;
handler handle_get_backups;
handler handle_get_cluster, handle_post_hand_over; /* members */
handler handle_health, handle_health_live, handle_health_ready, handle_health_leader;
handler handle_metrics;

#endif
