/* Built without libcurl. */
#include "http/client.h"

enum dbk_code dbk_client_create(struct dbk_client **client, struct dbk_error *err)
{
    *client = NULL;
    return dbk_fail(err, DBK_UNSUPPORTED,
                    "built without libcurl; install libcurl4-openssl-dev and build "
                    "again");
}

void dbk_client_destroy(struct dbk_client *client)
{
    (void)client;
}

enum dbk_code dbk_client_post(struct dbk_client *client, const char *url,
                              struct dbk_slice body, int timeout_ms, void *context,
                              struct dbk_error *err)
{
    (void)client;
    (void)body;
    (void)timeout_ms;
    (void)context;
    return dbk_fail(err, DBK_UNSUPPORTED, "%s: built without libcurl", url);
}

bool dbk_client_next(struct dbk_client *client, int timeout_ms,
                     struct dbk_client_answer *out)
{
    (void)client;
    (void)timeout_ms;
    (void)out;
    return false;
}
