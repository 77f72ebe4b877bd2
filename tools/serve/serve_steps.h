/* serve_steps.h - the steps of a start, in the order in which serve_start.c takes them. Each
 * needs those before it, and says what it did.
 *
 * Each returns DBK_OK or what kept it from its part, with the error telling which part. */
#ifndef DBK_TOOLS_SERVE_STEPS_H
#define DBK_TOOLS_SERVE_STEPS_H

#include "serving.h"
#include "store/error.h"

/* The data directory, prepared for a log where there is none and one may be made. */
enum dbk_code serve_take_lock(struct serving *serving, struct dbk_error *err);

/* Whether the server could listen: better told before a log is opened. */
enum dbk_code serve_check_port(struct serving *serving, struct dbk_error *err);

/* Whether there is a cluster to join, where CLUSTER_BROKERS names one: better told before a log
 * is made. Brokers that are away are waited for in the background, where there is a log. */
enum dbk_code serve_check_cluster(struct serving *serving, struct dbk_error *err);

/* The log, made where serve_take_lock found that it may be. */
enum dbk_code serve_open_log(struct serving *serving, struct dbk_error *err);

/* The ring of keys of a log that is made as a copy of one that is sealed; else NULL. */
enum dbk_code serve_take_ring(struct serving *serving, struct dbk_keys **keys,
                              struct dbk_error *err);

/* Whether what RETENTION says can be done with this log. */
enum dbk_code serve_check_retention(struct serving *serving, struct dbk_error *err);

/* Whether it is one of the cluster's copies; or, without one, no copy of any. */
enum dbk_code serve_check_copy(struct serving *serving, struct dbk_error *err);

/* Where the read tables are: the private PostgreSQL, or the one that is set. One that is away
 * is fine; one that the tables can never be in is not. */
enum dbk_code serve_open_database(struct serving *serving, struct dbk_error *err);

/* The thread that posts the log. */
enum dbk_code serve_start_projector(struct serving *serving, struct dbk_error *err);

/* Give it a moment: whoever reads the moment the server is ready should not meet a projector
 * that is about to connect. A PostgreSQL that is away keeps nobody from writing: DBK_OK. */
enum dbk_code serve_await_projection(struct serving *serving, struct dbk_error *err);

/* What answers reads. */
enum dbk_code serve_open_read_model(struct serving *serving, struct dbk_error *err);

/* The history index. It is never needed: what keeps it from growing keeps nobody from
 * anything, and is a warning. */
enum dbk_code serve_start_history(struct serving *serving, struct dbk_error *err);

/* Who signs what the log is. What keeps it from that keeps nobody from anything, and is a
 * warning. */
enum dbk_code serve_start_notary(struct serving *serving, struct dbk_error *err);

/* Follow the others, and lead where elected: nothing but the API is left to be started, so
 * whoever leads can be reached. */
enum dbk_code serve_join_cluster(struct serving *serving, struct dbk_error *err);
/* Leave them: another may lead at once. After the API, which asks who leads. */
void serve_leave_cluster(struct serving *serving);

/* Who has events forgotten by age, where RETENTION says so. */
enum dbk_code serve_start_expiry(struct serving *serving, struct dbk_error *err);

/* The API; then systemd, and who looks from beside, are told that it is ready. */
enum dbk_code serve_start_server(struct serving *serving, struct dbk_error *err);

#endif
