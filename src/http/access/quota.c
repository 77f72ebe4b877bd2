#include "quota.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400
#define ADDRESSES 4096 /* known at once; an older one makes room */
#define PROBES 8

/* In thousandths of an event: so many come each millisecond as the rate says. */
struct bucket {
    int64_t level; /* below 0: what is owed */
    int64_t at;    /* when it was that; 0: it is new, and full */
};

struct token_use {
    unsigned char hash[DBK_TOKEN_HASH];
    struct bucket events;
    int64_t used_at; /* 0: the place is free */
    int64_t day;     /* of these bytes */
    uint64_t bytes;
};

struct address_use {
    unsigned char hash[8]; /* the token's beginning */
    uint32_t address;
    struct bucket events;
};

struct quota {
    pthread_mutex_t mutex; /* guards what follows */
    struct token_use tokens[DBK_TOKENS_MAX];
    struct address_use addresses[ADDRESSES];
};

struct quota *quota_create(void)
{
    struct quota *quota = calloc(1, sizeof *quota);

    if (quota)
        pthread_mutex_init(&quota->mutex, NULL);
    return quota;
}

void quota_destroy(struct quota *quota)
{
    if (!quota)
        return;
    pthread_mutex_destroy(&quota->mutex);
    free(quota);
}

void quota_begin(struct quota_use *use, const unsigned char hash[DBK_TOKEN_HASH],
                 uint32_t address, const struct dbk_token_bounds *bounds)
{
    *use = (struct quota_use){.bounded = bounds->rate || bounds->address_rate ||
                                         bounds->bytes_a_day,
                              .address = address,
                              .rate = bounds->rate,
                              .address_rate = bounds->address_rate,
                              .bytes_a_day = bounds->bytes_a_day};
    memcpy(use->hash, hash, DBK_TOKEN_HASH);
}

/* The place of this token, or the first free one from where its hash, which is random, says;
 * or the one that was used least lately: of one that is revoked, for there are as many places
 * as tokens. Places never become free, so behind a free one it cannot be. */
static struct token_use *
find_token(struct quota *quota, const unsigned char hash[DBK_TOKEN_HASH], int64_t now)
{
    struct token_use *oldest = NULL;
    uint64_t first;

    memcpy(&first, hash, sizeof first);
    for (size_t i = 0; i < DBK_TOKENS_MAX; i++) {
        struct token_use *one =
            &quota->tokens[(first % DBK_TOKENS_MAX + i) % DBK_TOKENS_MAX];
        if (one->used_at && memcmp(one->hash, hash, DBK_TOKEN_HASH) == 0) {
            one->used_at = now;
            return one;
        }
        if (!oldest || one->used_at < oldest->used_at)
            oldest = one;
        if (!one->used_at)
            break;
    }
    *oldest = (struct token_use){.used_at = now};
    memcpy(oldest->hash, hash, DBK_TOKEN_HASH);
    return oldest;
}

static struct address_use *find_address(struct quota *quota,
                                        const struct quota_use *use)
{
    struct address_use *oldest = NULL;
    uint64_t mixed;

    memcpy(&mixed, use->hash, sizeof mixed);
    mixed = (mixed ^ use->address) * UINT64_C(0x9E3779B97F4A7C15); /* 2^64 / phi */
    for (size_t i = 0; i < PROBES; i++) {
        struct address_use *one = &quota->addresses[((mixed >> 40) + i) % ADDRESSES];
        if (one->events.at && one->address == use->address &&
            memcmp(one->hash, use->hash, sizeof one->hash) == 0)
            return one;
        if (!oldest || one->events.at < oldest->events.at)
            oldest = one;
    }
    *oldest = (struct address_use){.address = use->address};
    memcpy(oldest->hash, use->hash, sizeof oldest->hash);
    return oldest;
}

static void fill(struct bucket *bucket, uint32_t rate, int64_t now)
{
    int64_t most = (int64_t)rate * 1000, passed = now - bucket->at;

    if (bucket->at == 0 || (passed > 0 && passed > (most - bucket->level) / rate))
        bucket->level = most;
    else if (passed > 0)
        bucket->level += passed * rate;
    if (bucket->level > most) /* the rate was another */
        bucket->level = most;
    if (now > bucket->at)
        bucket->at = now;
}

static unsigned seconds_for(int64_t thousandths, uint32_t rate)
{
    int64_t second = (int64_t)rate * 1000;

    return thousandths <= 0 ? 0 : (unsigned)((thousandths + second - 1) / second);
}

/* In how many seconds so many can be taken, beside what was; 0: now. */
static unsigned wait_for_events(struct bucket *bucket, uint32_t rate, uint64_t events,
                                uint64_t taken, int64_t now)
{
    int64_t all = (int64_t)(events + taken) * 1000, most = (int64_t)rate * 1000;

    fill(bucket, rate, now);
    if (events == 0)
        return 0;
    if (all > most)
        all = most;
    return seconds_for(all - (int64_t)taken * 1000 - bucket->level, rate);
}

static void count_events(struct bucket *bucket, int64_t events)
{
    bucket->level -= events * 1000;
}

static struct quota_left left_in(const struct bucket *bucket, uint32_t rate)
{
    int64_t most = (int64_t)rate * 1000;

    return (struct quota_left){
        .units = bucket->level > 0 ? (uint64_t)bucket->level / 1000 : 0,
        .seconds = seconds_for(most - bucket->level, rate)};
}

static unsigned wait_for_bytes(struct token_use *token, const struct quota_use *use,
                               int64_t now_s)
{
    if (token->day != now_s / DAY_S) {
        token->day = now_s / DAY_S;
        token->bytes = 0;
    }
    return token->bytes < use->bytes_a_day ? 0 : (unsigned)(DAY_S - now_s % DAY_S);
}

/* What the three bounds say, under the lock. */
static unsigned look(struct token_use *token, struct address_use *address,
                     const struct quota_use *use, uint64_t events, int64_t now_ms,
                     int64_t now_s, const char **why)
{
    unsigned wait = 0, longest = 0;

    if (use->rate)
        longest = wait_for_events(&token->events, use->rate, events, use->events_taken,
                                  now_ms);
    *why = "events a second";
    if (address)
        wait = wait_for_events(&address->events, use->address_rate, events,
                               use->events_taken, now_ms);
    if (wait > longest) {
        longest = wait;
        *why = "events a second of one address";
    }
    wait = use->bytes_a_day ? wait_for_bytes(token, use, now_s) : 0;
    if (wait > longest) {
        longest = wait;
        *why = "bytes a day";
    }
    return longest;
}

static void count(struct token_use *token, struct address_use *address,
                  struct quota_use *use, int64_t events, uint64_t bytes)
{
    if (use->rate)
        count_events(&token->events, events);
    if (address)
        count_events(&address->events, events);
    token->bytes += bytes;
    use->events_taken = (uint64_t)((int64_t)use->events_taken + events);
}

static void tell_left(const struct token_use *token, const struct address_use *address,
                      struct quota_use *use, int64_t now_s)
{
    if (use->rate)
        use->events = left_in(&token->events, use->rate);
    if (address)
        use->address_events = left_in(&address->events, use->address_rate);
    if (use->bytes_a_day)
        use->bytes = (struct quota_left){.units = token->bytes < use->bytes_a_day
                                                      ? use->bytes_a_day - token->bytes
                                                      : 0,
                                         .seconds = (unsigned)(DAY_S - now_s % DAY_S)};
}

unsigned quota_take(struct quota *quota, struct quota_use *use, uint64_t events,
                    uint64_t bytes, int64_t now_ms, int64_t now_s, const char **why)
{
    struct address_use *address = NULL;
    struct token_use *token;
    unsigned wait;

    if (!use->bounded)
        return 0;
    assert(events < INT32_MAX && bytes < INT64_MAX);
    pthread_mutex_lock(&quota->mutex);
    token = find_token(quota, use->hash, now_ms);
    if (use->address_rate)
        address = find_address(quota, use);
    wait = look(token, address, use, events, now_ms, now_s, why);
    if (wait == 0)
        count(token, address, use, (int64_t)events, bytes);
    else
        count(token, address, use, -(int64_t)use->events_taken, 0);
    tell_left(token, address, use, now_s);
    pthread_mutex_unlock(&quota->mutex);
    return wait;
}

static void render_policy(const char *name, uint64_t quota, const char *window,
                          bool *first, struct dbk_render *out)
{
    dbk_render_text(out, *first ? "RateLimit-Policy: \"" : ", \"");
    dbk_render_text(out, name);
    dbk_render_text(out, "\";q=");
    dbk_render_number(out, quota);
    dbk_render_text(out, window);
    *first = false;
}

static void render_left(const char *name, struct quota_left left, bool *first,
                        struct dbk_render *out)
{
    dbk_render_text(out, *first ? "RateLimit: \"" : ", \"");
    dbk_render_text(out, name);
    dbk_render_text(out, "\";r=");
    dbk_render_number(out, left.units);
    dbk_render_text(out, ";t=");
    dbk_render_number(out, left.seconds);
    *first = false;
}

void quota_render(const struct quota_use *use, struct dbk_render *out)
{
    bool first = true;

    if (!use->bounded)
        return;
    if (use->rate)
        render_policy("events", use->rate, ";w=1", &first, out);
    if (use->address_rate)
        render_policy("address", use->address_rate, ";w=1", &first, out);
    if (use->bytes_a_day)
        render_policy("bytes", use->bytes_a_day, ";qu=\"content-bytes\";w=86400",
                      &first, out);
    dbk_render_text(out, "\r\n");
    first = true;
    if (use->rate)
        render_left("events", use->events, &first, out);
    if (use->address_rate)
        render_left("address", use->address_events, &first, out);
    if (use->bytes_a_day)
        render_left("bytes", use->bytes, &first, out);
    dbk_render_text(out, "\r\n");
}
