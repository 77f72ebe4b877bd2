/* Requests to others, by libcurl's multi interface. */
#include "http/client.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 5000 };

/* A request on its way, or answered. */
struct trip {
    struct trip *next;
    CURL *curl;
    struct curl_slist *headers;
    void *context;
    size_t length;
    bool too_large;
    char type[64], error[CURL_ERROR_SIZE];
    char body[DBK_CLIENT_ANSWER_MAX];
};

struct dbk_client {
    CURLM *multi;
    struct trip *trips, *answered; /* the latter is lent to the caller */
};

enum dbk_code dbk_client_create(struct dbk_client **client, struct dbk_error *err)
{
    *client = calloc(1, sizeof **client);
    if (*client && curl_global_init(CURL_GLOBAL_DEFAULT) == 0) {
        (*client)->multi = curl_multi_init();
        if ((*client)->multi)
            return DBK_OK;
        curl_global_cleanup();
    }
    free(*client);
    *client = NULL;
    return dbk_fail(err, DBK_NO_MEMORY, "no memory to ask others");
}

static void trip_destroy(struct trip *trip)
{
    if (!trip)
        return;
    curl_easy_cleanup(trip->curl);
    curl_slist_free_all(trip->headers);
    free(trip);
}

static void unlink_trip(struct dbk_client *client, struct trip *trip)
{
    struct trip **at = &client->trips;

    while (*at != trip)
        at = &(*at)->next;
    *at = trip->next;
    curl_multi_remove_handle(client->multi, trip->curl);
}

void dbk_client_destroy(struct dbk_client *client)
{
    if (!client)
        return;
    while (client->trips) {
        struct trip *trip = client->trips;

        unlink_trip(client, trip);
        trip_destroy(trip);
    }
    trip_destroy(client->answered);
    curl_multi_cleanup(client->multi);
    free(client);
    curl_global_cleanup();
}

static size_t on_body(char *bytes, size_t one, size_t length, void *context)
{
    struct trip *trip = context;

    (void)one;
    trip->too_large = length > sizeof trip->body - trip->length;
    if (trip->too_large)
        return 0; /* ends it */
    memcpy(trip->body + trip->length, bytes, length);
    trip->length += length;
    return length;
}

static bool prepare(struct trip *trip, const char *url, struct dbk_slice body,
                    int timeout_ms)
{
    CURL *curl = trip->curl;
    struct curl_slist *more;

    trip->headers = curl_slist_append(NULL, "Content-Type: text/plain; charset=utf-8");
    more = curl_slist_append(trip->headers, "Expect:");
    if (!curl || !more || curl_easy_setopt(curl, CURLOPT_URL, url) != CURLE_OK)
        return false;
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.length);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, trip->headers);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "daybook");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     timeout_ms < CONNECT_MS ? timeout_ms : (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, trip->error);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, trip);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, trip);
    return curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS,
                            body.length > 0 ? body.data : "") == CURLE_OK;
}

enum dbk_code dbk_client_post(struct dbk_client *client, const char *url,
                              struct dbk_slice body, int timeout_ms, void *context,
                              struct dbk_error *err)
{
    struct trip *trip = calloc(1, sizeof *trip);

    if (!trip)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to ask %s", url);
    trip->curl = curl_easy_init();
    trip->context = context;
    if (!prepare(trip, url, body, timeout_ms) ||
        curl_multi_add_handle(client->multi, trip->curl) != CURLM_OK) {
        trip_destroy(trip);
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to ask %s", url);
    }
    trip->next = client->trips;
    client->trips = trip;
    return DBK_OK;
}

static void note_type(struct trip *trip)
{
    const char *type = NULL;

    curl_easy_getinfo(trip->curl, CURLINFO_CONTENT_TYPE, &type);
    if (type)
        snprintf(trip->type, sizeof trip->type, "%.*s", (int)strcspn(type, "; \t"),
                 type);
}

static void tell(struct trip *trip, CURLcode result, struct dbk_client_answer *out)
{
    long status = 0;

    note_type(trip);
    if (result == CURLE_OK)
        curl_easy_getinfo(trip->curl, CURLINFO_RESPONSE_CODE, &status);
    *out = (struct dbk_client_answer){
        .context = trip->context,
        .status = (int)status,
        .type = *trip->type ? trip->type : NULL,
        .body = {trip->body, trip->length},
        .why = trip->too_large ? "it answers by more than 64 KiB"
               : *trip->error  ? trip->error
                               : curl_easy_strerror(result),
    };
}

bool dbk_client_next(struct dbk_client *client, int timeout_ms,
                     struct dbk_client_answer *out)
{
    CURLMsg *message;
    int running, left;

    trip_destroy(client->answered);
    client->answered = NULL;
    for (int turn = 0;; turn++) {
        curl_multi_perform(client->multi, &running);
        while ((message = curl_multi_info_read(client->multi, &left))) {
            const CURLcode result = message->data.result;
            char *trip = NULL;

            if (message->msg != CURLMSG_DONE)
                continue;
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &trip);
            client->answered = (struct trip *)(void *)trip;
            unlink_trip(client, client->answered);
            tell(client->answered, result, out);
            return true;
        }
        if (turn > 0)
            return false;
        curl_multi_poll(client->multi, NULL, 0, timeout_ms, NULL);
    }
}
