/* lent.h - a real server on a real log, with a person, and connections whose events are
 * answered by who leads. */
#ifndef TEST_LENT_H
#define TEST_LENT_H

#include "live.h"

#include "reactor.h"

#define CONNECTIONS 7
#define THREADS 16

static const char person[] = "0190a1b2-0000-7000-8000-000000000001";

static struct {
    struct live live;
    int fds[CONNECTIONS];
} lent;

void __wrap_reactor_look(struct reactor *reactor);

/* Nobody else leads, however long one is held. */
void __wrap_reactor_look(struct reactor *reactor)
{
    (void)reactor;
}

static inline void event_body(char out[300], const char *id, const char *whose,
                              const char *x)
{
    char member[80] = "";

    if (*id)
        snprintf(member, sizeof member, "\"id\":\"%s\",", id);
    snprintf(
        out, 300,
        "{%s\"event_type\":\"a\",\"person_id\":\"%s\",\"properties\":{\"x\":\"%s\"}}",
        member, whose, x);
}

static inline void say_text(int fd, const char *text)
{
    assert_true(live_send(fd, text, strlen(text)));
}

static inline void request_text(char out[1000], const char *version,
                                const char *headers, const char *body)
{
    snprintf(out, 1000,
             "POST /events HTTP/%s\r\nHost: localhost\r\nContent-Type: application/json"
             "\r\n%sContent-Length: %zu\r\n\r\n%s",
             version, headers, strlen(body), body);
}

static inline void say(int fd, const char *headers, const char *body)
{
    char text[1000];

    request_text(text, "1.1", headers, body);
    say_text(fd, text);
}

static inline void say_event(int fd, const char *x)
{
    char body[300];

    event_body(body, "", person, x);
    say(fd, "", body);
}

static inline void hear(int fd, int status, const char *saying)
{
    struct heard heard = live_hear(fd, false);

    assert_heard(&heard, status, saying);
    heard_free(&heard);
}

static inline uint64_t head(void)
{
    struct dbk_error err;
    uint64_t head;

    assert_int_equal(dbk_log_head(lent.live.log, &head, &err), DBK_OK);
    return head;
}

/* Its next request is answered by who leads, once it idles. */
static inline int connect_lent(void)
{
    int fd = live_connect(&lent.live);

    say_event(fd, "first");
    hear(fd, 201, "\"first\"");
    usleep(20000);
    return fd;
}

static inline int lent_start(void **state)
{
    struct dbk_server_options options = live_options(&lent.live);

    (void)state;
    options.threads = THREADS;
    live_open(&lent.live, &options, NULL, NULL);
    live_add_person(&lent.live, person);
    for (size_t i = 0; i < CONNECTIONS; i++)
        lent.fds[i] = connect_lent();
    return 0;
}

static inline int lent_stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < CONNECTIONS; i++)
        close(lent.fds[i]);
    if (lent.live.server)
        dbk_server_stop(lent.live.server, 2000);
    dbk_log_close(lent.live.log);
    scratch_dir_remove(lent.live.dir);
    memset(&lent, 0, sizeof lent);
    return 0;
}

#endif
