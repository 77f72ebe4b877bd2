#include "civetweb_settings.h"

#include "feed.h"

#include <assert.h>
#include <civetweb.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define QUEUE_MAX 1024
#define OTHER_FILES 128 /* of the log, PostgreSQL, and others */

void civetweb_settings_check(const struct dbk_server_options *options)
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

unsigned civetweb_settings_queue(const struct dbk_server_options *options)
{
    struct rlimit files = {0};
    rlim_t used = (rlim_t)options->threads +
                  FEED_CONNECTIONS_MAX((rlim_t)options->streams_max) + OTHER_FILES;

    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_cur <= used)
        return 1;
    return files.rlim_cur - used < QUEUE_MAX ? (unsigned)(files.rlim_cur - used)
                                             : QUEUE_MAX;
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
