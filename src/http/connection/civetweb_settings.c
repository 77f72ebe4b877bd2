#include "civetweb_settings.h"

#include "feed.h"

#include <assert.h>
#include <civetweb.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define QUEUE_MAX 1024
#define QUEUE_LEAST 16  /* streams leave as many */
#define OTHER_FILES 112 /* of the log, the projector, and others */
#define CONNECTION_FILES                                                               \
    2 /* of one to PostgreSQL: its socket, and a second hold of it */

/* Files that may be open beside those of threads and of others. */
static rlim_t files_left(const struct dbk_server_options *options)
{
    rlim_t used = (rlim_t)options->threads + OTHER_FILES +
                  (rlim_t)options->database_connections * CONNECTION_FILES;
    struct rlimit files = {0};

    getrlimit(RLIMIT_NOFILE, &files);
    return files.rlim_cur > used ? files.rlim_cur - used : 0;
}

unsigned civetweb_settings_streams(const struct dbk_server_options *options)
{
    rlim_t left = files_left(options);
    rlim_t fit =
        left > QUEUE_LEAST ? (left - QUEUE_LEAST) / FEED_CONNECTIONS_MAX(1) : 0;

    return fit < options->streams_max ? (unsigned)fit : options->streams_max;
}

static void check_files(const struct dbk_server_options *options)
{
    unsigned streams = civetweb_settings_streams(options);
    char line[256];

    if (streams == options->streams_max || !options->report)
        return;
    snprintf(
        line, sizeof line,
        "only %u streams of STREAMS_MAX (%u) are let in: more files may not be open "
        "(ulimit -n, or LimitNOFILE of systemd)",
        streams, options->streams_max);
    options->report(options->report_context, line);
}

static void check_version(const struct dbk_server_options *options)
{
    static const char *const tested[] = {"1.15", "1.16"};
    const char *version = mg_version();
    char line[256];

    for (size_t i = 0; i < sizeof tested / sizeof *tested; i++) {
        if (strcmp(version, tested[i]) == 0)
            return;
    }
    snprintf(line, sizeof line,
             "civetweb is version %s, and how requests end and connections are bounded "
             "was tested with 1.15 and 1.16: run make test with it first",
             version);
    if (options->report)
        options->report(options->report_context, line);
}

void civetweb_settings_check(const struct dbk_server_options *options)
{
    check_version(options);
    check_files(options);
}

unsigned civetweb_settings_queue(const struct dbk_server_options *options)
{
    rlim_t streams = FEED_CONNECTIONS_MAX((rlim_t)civetweb_settings_streams(options));
    rlim_t left = files_left(options);

    if (left <= streams)
        return 1;
    return left - streams < QUEUE_MAX ? (unsigned)(left - streams) : QUEUE_MAX;
}

int civetweb_settings_head_ms(const struct dbk_server_options *options)
{
    return options->request_timeout_ms < CIVETWEB_STALL_MS ? options->request_timeout_ms
                                                           : CIVETWEB_STALL_MS;
}

void civetweb_settings_fill(struct civetweb_settings *s,
                            const struct dbk_server_options *options)
{
    snprintf(s->listen, sizeof s->listen, "%s:%u", options->address, options->port);
    snprintf(s->threads, sizeof s->threads, "%u", options->threads);
    snprintf(s->queue, sizeof s->queue, "%u", civetweb_settings_queue(options));
    snprintf(s->request_timeout, sizeof s->request_timeout, "%d",
             civetweb_settings_head_ms(options));
    const char *const list[] = {
        "listening_ports",
        s->listen,
        "num_threads",
        s->threads,
        "request_timeout_ms",
        s->request_timeout,
        "keep_alive_timeout_ms",
        "30000", /* less where threads are scarce: guard.h */
        "enable_keep_alive",
        "yes",
        "tcp_nodelay",
        "1",
        "decode_url",
        "no", /* the router does it, and keeps slashes apart */
        "enable_auth_domain_check",
        "no",
        "access_control_allow_origin",
        "",
        "access_control_allow_methods",
        "",
        "access_control_allow_headers",
        "",
        "connection_queue",
        s->queue,
        "listen_backlog",
        "1024",
        NULL,
    };
    static_assert(sizeof list <= sizeof s->list, "the list of civetweb's options");
    memcpy(s->list, list, sizeof list);
}
