/* civetweb_settings.h - how civetweb is set up: it reads its options as text. Source: its
 * manual, docs/UserManual.md. */
#ifndef DBK_HTTP_CIVETWEB_SETTINGS_H
#define DBK_HTTP_CIVETWEB_SETTINGS_H

#include "http/server.h"

#define CIVETWEB_STALL_MS 10000 /* how long a client may send or take nothing at all */

struct civetweb_settings {
    char listen[64], threads[16], queue[16], request_timeout[16];
    const char
        *list[32]; /* names and values in turn, with NULL at the end; some of them
                             point into this very struct */
};

/* tap.c answers civetweb's reads, and guard.c finds its sockets: neither is promised by its
 * API. So tell options.report, once, where the library
 * that is loaded is none of those that this was tested with; and where fewer streams are let
 * in than the options say. */
void civetweb_settings_check(const struct dbk_server_options *options);

void civetweb_settings_fill(struct civetweb_settings *s,
                            const struct dbk_server_options *options);

/* How long a head may take to arrive, once it begins. */
int civetweb_settings_head_ms(const struct dbk_server_options *options);

/* How many streams may be open: options.streams_max, or as many as there may be files for,
 * also for those that are leaving (FEED_CONNECTIONS_MAX). */
unsigned civetweb_settings_streams(const struct dbk_server_options *options);

/* How many connections are accepted and may wait for a thread. Each is a file. Where there
 * are none left, civetweb would try to accept one again and again, as fast as it can; so
 * those that it cannot have stay outside. */
unsigned civetweb_settings_queue(const struct dbk_server_options *options);

#endif
