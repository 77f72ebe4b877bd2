/* serve_report.h - how the server does: for its log, of what the layers report; and for
 * systemd. */
#ifndef DBK_TOOLS_SERVE_REPORT_H
#define DBK_TOOLS_SERVE_REPORT_H

#include "http/server.h"

/* The context of each is the struct logger. */
void serve_report_access(void *context, const struct dbk_access *entry);

/* What the projector says: info, or warn where the tables lag behind for a reason. */
void serve_report_projection(void *context, const char *line);

/* What an operator should look at. */
void serve_report_trouble(void *context, const char *line);

/* What was done by the API, for who looks later. */
void serve_report_notice(void *context, const char *line);

/* Writes to the log fail: as an error, with what is to be done. */
void serve_report_failure(void *context, const struct dbk_error *why);

/* Tell systemd lines like "READY=1" (sd_notify's protocol: a datagram to the socket that
 * NOTIFY_SOCKET names). Where nobody asked to be told, or nobody listens, nothing happens:
 * that is no reason not to serve. */
void serve_report_manager(const char *state);

#endif
