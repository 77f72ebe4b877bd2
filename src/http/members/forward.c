#include "forward.h"

#include "fresh.h"
#include "store/metrics.h"
#include "worker.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    CONNECT_MS = 3000,
    IDLE_MOST_S = 10, /* less than a server's 30, so that none is used while it ends */
};

struct forward {
    pthread_mutex_t mutex; /* guards what follows */
    unsigned under_way, idle_count;
    CURL *idle[FORWARD_MOST]; /* each with the connection that it kept */
    atomic_bool stopping;
};

/* One request on its way. */
struct trip {
    struct forward *forward;
    struct request *rq;
    struct response *rs;
    CURL *curl;
    struct curl_slist *headers;
    bool no_memory;
    unsigned sendings; /* how often it was about to be sent */
    char error[CURL_ERROR_SIZE];
};

bool forward_built(void)
{
    return true;
}

struct forward *forward_create(void)
{
    struct forward *forward;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
        return NULL;
    forward = calloc(1, sizeof *forward);
    if (!forward) {
        curl_global_cleanup();
        return NULL;
    }
    pthread_mutex_init(&forward->mutex, NULL);
    atomic_init(&forward->stopping, false);
    return forward;
}

void forward_stop(struct forward *forward)
{
    if (forward)
        atomic_store(&forward->stopping, true);
}

void forward_destroy(struct forward *forward)
{
    if (!forward)
        return;
    for (unsigned i = 0; i < forward->idle_count; i++)
        curl_easy_cleanup(forward->idle[i]);
    pthread_mutex_destroy(&forward->mutex);
    free(forward);
    curl_global_cleanup();
}

/* The one that was used last, for its connection is the least likely to have ended. */
static enum dbk_code take(struct trip *trip, struct dbk_error *err)
{
    struct forward *forward = trip->forward;
    bool full;

    pthread_mutex_lock(&forward->mutex);
    full = forward->under_way == FORWARD_MOST;
    if (!full) {
        forward->under_way++;
        if (forward->idle_count > 0)
            trip->curl = forward->idle[--forward->idle_count];
    }
    pthread_mutex_unlock(&forward->mutex);
    if (full)
        return dbk_fail(err, DBK_BUSY, "%d requests are on their way to the leader",
                        FORWARD_MOST);
    if (!trip->curl)
        trip->curl = curl_easy_init();
    return DBK_OK;
}

static void give_back(struct trip *trip)
{
    struct forward *forward = trip->forward;

    if (trip->curl)
        curl_easy_reset(trip->curl); /* all but its connection */
    curl_slist_free_all(trip->headers);
    pthread_mutex_lock(&forward->mutex);
    forward->under_way--;
    if (trip->curl)
        forward->idle[forward->idle_count++] = trip->curl;
    pthread_mutex_unlock(&forward->mutex);
}

static void add_line(struct trip *trip, const char *line)
{
    struct curl_slist *longer = curl_slist_append(trip->headers, line);

    if (longer)
        trip->headers = longer;
    else
        trip->no_memory = true;
}

static void add(struct trip *trip, const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 3;
    char *line = malloc(size);

    if (!line) {
        trip->no_memory = true;
        return;
    }
    snprintf(line, size, *value ? "%s: %s" : "%s;%s", name, value); /* curl's way */
    add_line(trip, line);
    free(line);
}

static bool is_one_of(const char *name, size_t length, const char *const *list)
{
    for (; *list; list++) {
        if (strlen(*list) == length && strncasecmp(*list, name, length) == 0)
            return true;
    }
    return false;
}

/* Of this connection alone (RFC 9110, section 7.6.1), or written anew. The body is sent as
 * it was read: whole, and decoded. */
static bool stays_here(const struct head *head, const char *name)
{
    static const char *const names[] = {"Connection",
                                        "Keep-Alive",
                                        "Proxy-Connection",
                                        "Proxy-Authorization",
                                        "TE",
                                        "Trailer",
                                        "Transfer-Encoding",
                                        "Upgrade",
                                        "Expect",
                                        "Host",
                                        "Content-Length",
                                        "Content-Encoding",
                                        "X-Request-Id",
                                        "Forwarded",
                                        "X-Forwarded-For",
                                        "X-Forwarded-Host",
                                        "X-Forwarded-Proto",
                                        "X-Real-IP",
                                        "Daybook-Forwarded",
                                        NULL};

    return is_one_of(name, strlen(name), names) || head_lists(head, "Connection", name);
}

static void add_headers(struct trip *trip)
{
    const struct head *head = trip->rq->head;
    char client[CLIENT_ADDRESS_TEXT];

    request_client(trip->rq, client);
    for (size_t i = 0; i < head->count; i++) {
        if (!stays_here(head, head->fields[i].name))
            add(trip, head->fields[i].name, head->fields[i].value);
    }
    add(trip, "X-Request-Id", trip->rq->id);
    add(trip, "X-Forwarded-For", client);
    add(trip, "Daybook-Forwarded", "1");
    /* What curl would add by itself. */
    add_line(trip, "Expect:");
    if (!request_header(trip->rq, "Accept"))
        add_line(trip, "Accept:");
    if (!request_header(trip->rq, "Content-Type"))
        add_line(trip, "Content-Type:");
}

/* Connected, and about to send. curl would send it again where a kept connection ends
 * before an answer: the leader may have done it by then. */
static int on_sending(void *context, char *peer, char *own, int peer_port, int own_port)
{
    struct trip *trip = context;

    (void)peer;
    (void)own;
    (void)peer_port;
    (void)own_port;
    return ++trip->sendings == 1 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static int on_progress(void *context, curl_off_t a, curl_off_t b, curl_off_t c,
                       curl_off_t d)
{
    const struct trip *trip = context;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load(&trip->forward->stopping);
}

static size_t on_header(char *line, size_t one, size_t length, void *context)
{
    static const char *const own[] = {
        "Connection",     "Keep-Alive",        "Proxy-Connection",
        "Trailer",        "Transfer-Encoding", "Upgrade",
        "Content-Length", "Daybook-Leader",    NULL};
    struct trip *trip = context;
    const char *colon = memchr(line, ':', length);
    size_t end = length;

    (void)one;
    if (length > 5 && memcmp(line, "HTTP/", 5) == 0) /* another answer: after a 100 */
        dbk_render_clear(&trip->rs->head);
    if (!colon || memcmp(line, "HTTP/", 5) == 0 || trip->rs->body.length > 0 ||
        is_one_of(line, (size_t)(colon - line), own))
        return length;
    while (end > 0 && (line[end - 1] == '\n' || line[end - 1] == '\r'))
        end--;
    dbk_render_raw(&trip->rs->head, line, end);
    dbk_render_raw(&trip->rs->head, "\r\n", 2);
    return length;
}

static size_t on_body(char *bytes, size_t one, size_t length, void *context)
{
    struct trip *trip = context;

    (void)one;
    dbk_render_raw(&trip->rs->body, bytes, length);
    return dbk_render_code(&trip->rs->body) == DBK_OK ? length : 0;
}

/* The target as it came, behind what the leader's URL has of a path. False: no memory. */
static bool set_target(struct trip *trip, const char *url)
{
    const struct request *rq = trip->rq;
    const char *authority = strstr(url, "://");
    const char *below = authority ? strchr(authority + 3, '/') : NULL;
    size_t size = strlen(url) + strlen(rq->path) + strlen(rq->query) + 2;
    char *target = malloc(size);
    bool good;

    if (!target)
        return false;
    snprintf(target, size, "%s%s%s%s", below ? below : "", rq->path,
             *rq->query ? "?" : "", rq->query);
    good = curl_easy_setopt(trip->curl, CURLOPT_URL, url) == CURLE_OK &&
           curl_easy_setopt(trip->curl, CURLOPT_REQUEST_TARGET, target) == CURLE_OK;
    free(target);
    return good;
}

static void set_body(struct trip *trip)
{
    const struct request *rq = trip->rq;
    CURL *curl = trip->curl;

    if (rq->body.length > 0 || strcmp(rq->method, "DELETE") != 0) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         rq->body.length > 0 ? rq->body.data : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)rq->body.length);
    } else {
        curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, rq->method);
}

static bool prepare(struct trip *trip, const char *url)
{
    long timeout_ms = trip->rq->service->options.request_timeout_ms;
    CURL *curl = trip->curl;

    if (!curl || !set_target(trip, url))
        return false;
    set_body(trip);
    add_headers(trip);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, trip->headers);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* whatever the environment says */
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXCONNECTS, 1L);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, (long)IDLE_MOST_S);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     timeout_ms < CONNECT_MS ? timeout_ms : (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, trip->error);
    curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_sending);
    curl_easy_setopt(curl, CURLOPT_PREREQDATA, trip);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, trip);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, trip);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, trip);
    return !trip->no_memory;
}

static void count(enum dbk_metric_forward outcome)
{
    dbk_metric_add_to(DBK_METRIC_FORWARDS, outcome, 1);
}

static enum dbk_code not_sent(struct request *rq, struct dbk_error *err)
{
    count(DBK_FORWARD_NOT_SENT);
    rq->unavailable = "The server that leads cannot be reached from here; nothing was "
                      "written. Try again shortly";
    return err->code;
}

static enum dbk_code unknown(struct request *rq, struct dbk_error *err)
{
    count(DBK_FORWARD_UNKNOWN);
    rq->unavailable =
        "The server that leads was sent this, and did not answer, so "
        "whether it was written is not known; send it again with the same "
        "id or Idempotency-Key to find out";
    return err->code;
}

static enum dbk_code go(struct trip *trip, const char *url, struct dbk_error *err)
{
    struct response *rs = trip->rs;
    CURLcode result;
    long status = 0;

    if (!prepare(trip, url)) {
        dbk_fail(err, DBK_NO_MEMORY, "no memory to send a request on");
        return not_sent(trip->rq, err);
    }
    dbk_render_clear(&rs->head);
    dbk_render_clear(&rs->body);
    result = curl_easy_perform(trip->curl);
    curl_easy_getinfo(trip->curl, CURLINFO_RESPONSE_CODE, &status);
    if (trip->sendings == 0) {
        dbk_fail(err, DBK_UNAVAILABLE, "%s: %s", url,
                 *trip->error ? trip->error : curl_easy_strerror(result));
        return not_sent(trip->rq, err);
    }
    if (result != CURLE_OK || status < 200 || status > 599) {
        dbk_fail(err, DBK_IN_DOUBT, "%s did not answer: %s", url,
                 trip->sendings > 1 ? "the connection ended"
                 : *trip->error     ? trip->error
                                    : curl_easy_strerror(result));
        return unknown(trip->rq, err);
    }
    count(DBK_FORWARD_ANSWERED);
    rs->status = (int)status;
    rs->relayed = true;
    return DBK_OK;
}

enum dbk_code forward_send(struct forward *forward, struct request *rq,
                           struct response *rs, const char *url, struct dbk_error *err)
{
    struct trip trip = {.forward = forward, .rq = rq, .rs = rs};
    enum dbk_code code = fresh_enter(rq, false, err);

    if (code != DBK_OK)
        rq->unavailable = "As many requests wait here as may at a time; nothing was "
                          "written. Try again shortly";
    else
        code = take(&trip, err);
    if (code != DBK_OK) {
        count(DBK_FORWARD_NOT_SENT);
        return code;
    }
    code = go(&trip, url, err);
    give_back(&trip);
    readers_leave(rq->service->readers, &rq->reader);
    return code;
}
