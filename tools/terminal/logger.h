/* logger.h - what the program tells its operator: one line an entry, on stderr.
 *
 *   text  2026-11-23T17:00:00.000000Z info request method=GET path=/persons status=200
 *   json  {"time":"2026-…Z","level":"info","message":"request","method":"GET",…}
 *
 * Whatever a value holds, it stays one value on one line: control characters, quotes
 * and bytes that are not UTF-8 are escaped. A line is one write(2), so lines of several
 * threads and processes do not mix. A line that cannot be written is dropped.
 */
#ifndef DBK_TOOLS_LOGGER_H
#define DBK_TOOLS_LOGGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Constant once set up: safe to share between threads. */
struct logger {
    int fd;
    enum log_level level; /* entries above it are dropped */
    bool json;
};

/* One key=value of an entry. */
struct log_field {
    const char *key;  /* letters and _ */
    const char *text; /* borrowed for the call; NULL: the number */
    int64_t number;
};

/* Whether entries of this level are written: for those that take some making. */
bool logger_shows(const struct logger *logger, enum log_level level);

/* message is a short constant text, or a line that another part reported. */
void logger_write(const struct logger *logger, enum log_level level,
                  const char *message, const struct log_field *fields, size_t count);

/* Without fields. */
void logger_line(const struct logger *logger, enum log_level level,
                 const char *message);

#endif
