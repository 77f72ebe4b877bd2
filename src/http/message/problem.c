#include "problem.h"

#include <assert.h>
#include <string.h>

const struct problem problems[] = {
    {307, DBK_NOT_LEADER, "not-leader", "Another server writes"},
    {400, DBK_OK, "malformed", "The request cannot be understood"},
    {400, DBK_OK, "invalid-fields", "Fields or parameters are missing or wrong"},
    {401, DBK_OK, "unauthorized", "A valid access token is needed"},
    {403, DBK_OK, "forbidden", "The access token may not do this"},
    {404, DBK_OK, "not-found", "There is no such thing"},
    {405, DBK_OK, "method-not-allowed", "The path does not take this method"},
    {406, DBK_OK, "not-acceptable", "Accept excludes all that the path answers with"},
    {408, DBK_OK, "request-timeout", "The request did not arrive in time"},
    {409, DBK_EXISTS, "already-exists", "The id is in use"},
    {409, DBK_OK, "conflict", "What is recorded forbids this"},
    {410, DBK_OK, "erased", "The person has been erased"},
    {411, DBK_OK, "length-required", "The length of the body is missing"},
    {412, DBK_OK, "precondition-failed", "It is not as If-Match or If-None-Match says"},
    {413, DBK_OK, "too-large", "The body, or the batch, is too large"},
    {414, DBK_OK, "target-too-long", "The first line of the request is too long"},
    {415, DBK_OK, "unsupported-media-type", "The Content-Type is not taken here"},
    {415, DBK_OK, "unsupported-encoding", "The Content-Encoding is not taken here"},
    {417, DBK_OK, "expectation-failed", "The only Expect taken is 100-continue"},
    {421, DBK_OK, "misdirected", "The request names another host"},
    {422, DBK_KEY_REUSED, "key-reused", "The idempotency key came with other content"},
    {422, DBK_OK, "all-refused", "Every item of the batch was refused"},
    {429, DBK_OK, "too-many-requests", "Too much came for now"},
    {431, DBK_OK, "head-too-large", "The head of the request is too large"},
    {500, DBK_DAMAGED, "damaged", "What is stored cannot be read"},
    {500, DBK_UNSUPPORTED, "newer-version", "What is stored is of a newer version"},
    {500, DBK_OK, "internal", "The server made a mistake"},
    {501, DBK_OK, "not-implemented", "The server does not do this"},
    {503, DBK_BUSY, "busy", "The server has more to do than it can queue"},
    {503, DBK_TIMEOUT, "timeout", "It was not done in time"},
    {503, DBK_NO_ROOM, "disk-full", "The disk of the server is full"},
    {503, DBK_IO, "disk-failed", "The disk of the server failed"},
    {503, DBK_IN_DOUBT, "outcome-unknown", "Whether it was written is not known"},
    {503, DBK_NO_MEMORY, "out-of-memory", "The server is out of memory"},
    {503, DBK_KEYS_AWAY, "keys-away", "The keys of the server cannot be used"},
    {503, DBK_INTERRUPTED, "stopping", "The server is stopping"},
    {503, DBK_NOT_LEADER, "no-leader", "No server is known to lead"},
    {503, DBK_OK, "unavailable", "A part of the server cannot answer now"},
    {505, DBK_OK, "version-not-supported", "Only HTTP/1.1 and HTTP/1.0 are spoken"},
};

const size_t problems_count = sizeof problems / sizeof *problems;

const struct problem *problem_of(int status, enum dbk_code code)
{
    for (size_t i = 0; i < problems_count; i++) {
        if (problems[i].status == status &&
            (problems[i].code == DBK_OK || problems[i].code == code))
            return &problems[i];
    }
    return problem_named(status < 500 ? "malformed" : "internal");
}

const struct problem *problem_named(const char *name)
{
    for (size_t i = 0; i < problems_count; i++) {
        if (strcmp(problems[i].name, name) == 0)
            return &problems[i];
    }
    assert(!"a problem of ours has no such name");
    return NULL;
}
