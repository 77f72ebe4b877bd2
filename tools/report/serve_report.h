/* serve_report.h - turns what the layers report into lines of the server's log. */
#ifndef DBK_TOOLS_SERVE_REPORT_H
#define DBK_TOOLS_SERVE_REPORT_H

#include "http/server.h"

/* The context of each is the struct logger. */
void serve_report_access(void *context, const struct dbk_access *entry);

/* What the projector says: info, or warn where the tables lag behind for a reason. */
void serve_report_projection(void *context, const char *line);

/* What an operator should look at. */
void serve_report_trouble(void *context, const char *line);

#endif
