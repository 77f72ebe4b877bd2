#include "coding.h"

#include "accept.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

static const char *const names[] = {
    [CODING_IDENTITY] = "identity", [CODING_GZIP] = "gzip", [CODING_ZSTD] = "zstd"};

const char *coding_name(enum coding coding)
{
    assert(coding < CODING_OTHER);
    return names[coding];
}

static enum coding find(const char *name, size_t length)
{
    if (length > 2 && strncasecmp(name, "x-", 2) == 0) { /* of old: x-gzip */
        name += 2;
        length -= 2;
        if (length != 4 || strncasecmp(name, "gzip", 4) != 0)
            return CODING_OTHER;
    }
    for (int i = 0; i < CODING_OTHER; i++) {
        if (length == strlen(names[i]) && strncasecmp(name, names[i], length) == 0)
            return (enum coding)i;
    }
    return CODING_OTHER;
}

enum coding coding_of_body(const struct head *head)
{
    enum coding coding = CODING_IDENTITY;
    size_t field = 0, length;
    const char *at = NULL, *member;

    while ((member = head_list_next(head, "Content-Encoding", &field, &at, &length))) {
        enum coding one = find(member, length);
        if (one == CODING_IDENTITY)
            continue;
        coding = coding == CODING_IDENTITY ? one : CODING_OTHER;
    }
    return coding;
}

enum { UNKNOWN = -1 };

/* The weight of each coding, in thousandths, or UNKNOWN; *any is that of a star. */
static void read_weights(const struct head *head, int weights[CODING_OTHER], int *any)
{
    size_t field = 0, length;
    const char *at = NULL, *member;

    while ((member = head_list_next(head, "Accept-Encoding", &field, &at, &length))) {
        size_t name = strcspn(member, "; \t,");
        int weight = accept_weight(member + name + strspn(member + name, " \t"));
        enum coding one;

        if (name > length)
            name = length;
        one = find(member, name);
        if (one < CODING_OTHER && weight > weights[one])
            weights[one] = weight;
        if (name == 1 && *member == '*' && weight > *any)
            *any = weight;
    }
}

enum coding coding_of_answer(const struct head *head, bool *plain_will_do)
{
    int weights[CODING_OTHER] = {UNKNOWN, UNKNOWN, UNKNOWN}, any = UNKNOWN;
    enum coding best = CODING_IDENTITY;

    read_weights(head, weights, &any);
    for (int i = 0; i < CODING_OTHER; i++) {
        if (weights[i] == UNKNOWN && i != CODING_IDENTITY)
            weights[i] = any > 0 ? any : 0;
    }
    *plain_will_do =
        weights[CODING_IDENTITY] != 0 && !(weights[CODING_IDENTITY] < 0 && any == 0);
    if (weights[CODING_GZIP] > 0)
        best = CODING_GZIP;
    if (weights[CODING_ZSTD] > 0 && weights[CODING_ZSTD] >= weights[CODING_GZIP])
        best = CODING_ZSTD;
    if (best != CODING_IDENTITY && weights[CODING_IDENTITY] > weights[best])
        best = CODING_IDENTITY;
    return best;
}
