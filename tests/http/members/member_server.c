/* A server with a membership that whoever started it sets, without brokers: what a proxy sees
 * of a member. member_server DIR [forward]: prints its port; then lines on stdin:
 *
 *     NODE STATE LEADER URL        ("-" for none)
 */
#include "fake_membership.h"

#include "http/server.h"
#include "store/log.h"

#include <signal.h>
#include <stdio.h>

static int complain(const struct dbk_error *err)
{
    fprintf(stderr, "member_server: %s\n", err->text);
    return 1;
}

static const char *text(const char *word)
{
    return strcmp(word, "-") == 0 ? "" : word;
}

static void obey(struct fake *fake)
{
    char line[1024], node[256], state[16], leader[256], url[256];

    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "%255s %15s %255s %255s", node, state, leader, url) != 4)
            continue;
        fake_set(fake, node, state, text(leader), text(url));
        puts("set");
    }
}

int main(int argc, char **argv)
{
    static struct fake fake;
    struct dbk_server_options options = {
        .address = "127.0.0.1",
        .threads = 16,
        .body_max = 1 << 20,
        .batch_body_max = 4 << 20,
        .batch_items_max = 1000,
        .bodies_max = 64 << 20,
        .read_wait_ms = 1000,
        .request_timeout_ms = 5000,
        .idempotency_keep_us = INT64_C(3600) * 1000000,
        .membership = &fake.membership,
    };
    struct dbk_server *server = NULL;
    struct dbk_error err = {0};
    struct dbk_log *log = NULL;

    if (argc < 2)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    setvbuf(stdout, NULL, _IOLBF, 0);
    fake_init(&fake);
    fake.membership.forward = argc > 2;
    fake_set(&fake, "-", "starting", "", "");
    if (dbk_log_open(argv[1], NULL, &log, &err) != DBK_OK ||
        dbk_server_start(log, NULL, NULL, &options, &server, &err) != DBK_OK) {
        dbk_log_close(log);
        return complain(&err);
    }
    printf("%u\n", dbk_server_port(server));
    obey(&fake);
    dbk_server_stop(server, 1000);
    dbk_log_close(log);
    return 0;
}
