/* two_members.h - two servers with memberships that the test sets: a leader and a follower.
 * Link with --wrap=dbk_log_submit. */
#ifndef TWO_MEMBERS_H
#define TWO_MEMBERS_H

#include "fake_membership.h"
#include "forward.h"
#include "live.h"

#define EVENT "{\"event_type\":\"e\",\"anonymous_id\":\"a\"}"
#define NOBODY "/persons/01932b7e-7f3a-7c1d-9a53-5d8a1c2f4b6e"

enum dbk_code __real_dbk_log_submit(struct dbk_log *log,
                                    struct dbk_command *const *commands, size_t count,
                                    const struct dbk_idempotency *key, bool *replayed,
                                    struct dbk_error *err);
enum dbk_code __wrap_dbk_log_submit(struct dbk_log *log,
                                    struct dbk_command *const *commands, size_t count,
                                    const struct dbk_idempotency *key, bool *replayed,
                                    struct dbk_error *err);

static atomic_int
    refused_by_log;          /* a code of the next submissions; 0: the log decides */
static struct fake *deposes; /* who then sees that it follows n1, at this URL */
static char deposed_to[64];

enum dbk_code __wrap_dbk_log_submit(struct dbk_log *log,
                                    struct dbk_command *const *commands, size_t count,
                                    const struct dbk_idempotency *key, bool *replayed,
                                    struct dbk_error *err)
{
    int code = atomic_exchange(&refused_by_log, 0);

    if (code == 0)
        return __real_dbk_log_submit(log, commands, count, key, replayed, err);
    if (deposes)
        fake_set(deposes, "n2", "follows", "n1", deposed_to);
    return dbk_fail(err, (enum dbk_code)code, "another opened at 12");
}

struct two {
    struct fake fakes[2];
    struct live *leader, *other; /* n1, n2 */
    char url[64];                /* of n1 */
};

static inline struct live *begin(struct fake *fake, bool forward)
{
    struct live none = {0};
    struct dbk_server_options options = live_options(&none);

    fake_init(fake);
    fake->membership.forward = forward;
    options.membership = &fake->membership;
    options.request_timeout_ms = 3000;
    options.read_wait_ms = 200;
    return live_start(&options, NULL, NULL);
}

static inline int begin_two(void **state, bool forward)
{
    struct two *two = calloc(1, sizeof *two);

    two->leader = begin(&two->fakes[0], false);
    two->other = begin(&two->fakes[1], forward);
    snprintf(two->url, sizeof two->url, "http://127.0.0.1:%u",
             dbk_server_port(two->leader->server));
    fake_set(&two->fakes[0], "n1", "leads", "n1", two->url);
    fake_set(&two->fakes[1], "n2", "follows", "n1", two->url);
    *state = two;
    return 0;
}

static inline int begin_telling(void **state)
{
    return begin_two(state, false);
}

static inline int begin_forwarding(void **state)
{
    if (!forward_built())
        print_message("built without libcurl: nothing is sent on\n");
    return forward_built() ? begin_two(state, true) : 0;
}

static inline int end_two(void **state)
{
    struct two *two = *state;

    if (!two)
        return 0;
    atomic_store(&refused_by_log, 0);
    deposes = NULL;
    live_stop(two->leader);
    live_stop(two->other);
    free(two);
    return 0;
}

static inline void assert_header(const struct heard *heard, const char *name,
                                 const char *expected)
{
    char value[256];

    assert_string_equal(heard_header(heard, name, value), expected);
}

static inline uint64_t head_of(const struct live *live)
{
    uint64_t head = 0;
    struct dbk_error err;

    assert_int_equal(dbk_log_head(live->log, &head, &err), DBK_OK);
    return head;
}

static inline void ask(const struct live *live, const char *method, const char *path,
                       const char *headers, const char *body, int status,
                       const char *saying)
{
    struct heard heard = live_ask(live, method, path, headers, body);

    assert_heard(&heard, status, saying);
    heard_free(&heard);
}

#endif
