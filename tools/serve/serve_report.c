#include "serve_report.h"

#include "logger.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* Who asks how we are is told, again and again: the reason has a line of its own. */
static bool asks_for_health(const struct dbk_access *entry)
{
    return strncmp(entry->path, "/health", 7) == 0 &&
           strcspn(entry->path + 7, "?") == 0;
}

/* A 503 says that something else is away. What is not implemented, or of another version
 * of HTTP, is the client's mistake; any other 5xx is ours. */
static enum log_level access_level(const struct dbk_access *entry)
{
    if (entry->status == 503)
        return asks_for_health(entry) ? LOG_LEVEL_INFO : LOG_LEVEL_WARN;
    if (entry->status == 501 || entry->status == 505)
        return LOG_LEVEL_INFO;
    return entry->status >= 500 ? LOG_LEVEL_ERROR : LOG_LEVEL_INFO;
}

void serve_report_access(void *context, const struct dbk_access *entry)
{
    const struct logger *logger = context;
    enum log_level level = access_level(entry);
    struct log_field fields[11];
    size_t count = 0;
    char milliseconds[32];

    if (!logger_shows(logger, level))
        return;
    snprintf(milliseconds, sizeof milliseconds, "%.3f", entry->milliseconds);
    fields[count++] = (struct log_field){.key = "method", .text = entry->method};
    fields[count++] = (struct log_field){.key = "path", .text = entry->path};
    fields[count++] = (struct log_field){.key = "status", .number = entry->status};
    fields[count++] = (struct log_field){.key = "ms", .text = milliseconds};
    fields[count++] =
        (struct log_field){.key = "bytes", .number = (int64_t)entry->bytes};
    if (entry->sequence)
        fields[count++] =
            (struct log_field){.key = "sequence", .number = (int64_t)entry->sequence};
    fields[count++] = (struct log_field){.key = "remote", .text = entry->remote};
    if (entry->actor && *entry->actor)
        fields[count++] = (struct log_field){.key = "actor", .text = entry->actor};
    fields[count++] =
        (struct log_field){.key = "request_id", .text = entry->request_id};
    if (entry->trace_id && *entry->trace_id)
        fields[count++] =
            (struct log_field){.key = "trace_id", .text = entry->trace_id};
    if (entry->error && *entry->error)
        fields[count++] = (struct log_field){.key = "error", .text = entry->error};
    assert(count <= sizeof fields / sizeof *fields);
    logger_write(logger, level, "request", fields, count);
}

/* The projector tells of trouble and of its end in the same way; a line that is not known
 * here counts as trouble. */
void serve_report_projection(void *context, const char *line)
{
    static const char follows[] = "projection follows";
    bool good = !strncmp(line, follows, sizeof follows - 1) ||
                strstr(line, "is out of quarantine");

    logger_line(context, good ? LOG_LEVEL_INFO : LOG_LEVEL_WARN, line);
}

void serve_report_trouble(void *context, const char *line)
{
    logger_line(context, LOG_LEVEL_WARN, line);
}

void serve_report_notice(void *context, const char *line)
{
    logger_line(context, LOG_LEVEL_INFO, line);
}

static const char *remedy_of(enum dbk_code code)
{
    if (code == DBK_NO_ROOM)
        return "make room on the disk of DATA_DIR, and leave the log alone";
    if (code == DBK_DAMAGED)
        return "stop the server, and run daybook verify";
    return "look at the disk of DATA_DIR (dmesg); the log is opened again by itself";
}

void serve_report_failure(void *context, const struct dbk_error *why)
{
    struct log_field fields[] = {{.key = "error", .text = why->text},
                                 {.key = "remedy", .text = remedy_of(why->code)}};

    logger_write(context, LOG_LEVEL_ERROR,
                 "writes fail, and are answered 503 until they work again", fields, 2);
}

void serve_report_manager(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    size_t length = path ? strlen(path) : 0;
    int fd;

    if (length == 0 || length >= sizeof at.sun_path)
        return;
    memcpy(at.sun_path, path, length);
    if (at.sun_path[0] == '@') /* an abstract name */
        at.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&at,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
    close(fd);
}
