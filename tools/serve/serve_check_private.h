/* serve_check_private.h - what the parts of serve_check.h share: one run, and its lines. */
#ifndef DBK_TOOLS_SERVE_CHECK_PRIVATE_H
#define DBK_TOOLS_SERVE_CHECK_PRIVATE_H

#include "command.h"
#include "store/log.h"

/* One run. */
struct serve_check {
    const struct tool *tool;
    bool served; /* a server runs on the directory now */
    bool misused, wrong;
    struct dbk_log *log; /* NULL: there is none, or it cannot be opened */
};

enum verdict { RIGHT, WARN, WRONG };

/* Print a line. WRONG: it would not serve. */
void serve_check_tell(struct serve_check *check, enum verdict verdict, const char *what,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The log, or that there is none; then check->log. */
void serve_check_log(struct serve_check *check);

/* What the brokers have, and whether the log here goes with it. */
void serve_check_brokers(struct serve_check *check);

/* PostgreSQL, the rights there, and the tables. The private one is asked only where it runs. */
void serve_check_database(struct serve_check *check);

#endif
