#include "tokens_private.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *name;
    unsigned scope;
    int version; /* of the file, from which on there is the scope */
} scopes_known[] = {
    {"read", DBK_SCOPE_READ, 1},     {"write", DBK_SCOPE_WRITE, 1},
    {"audit", DBK_SCOPE_AUDIT, 1},   {"admin", DBK_SCOPE_ADMIN, 1},
    {"ingest", DBK_SCOPE_INGEST, 2}, {"metrics", DBK_SCOPE_METRICS, 3},
    {"erase", DBK_SCOPE_ERASE, 4},
};

#define SCOPES_COUNT (sizeof scopes_known / sizeof *scopes_known)

static unsigned find_scope(const char *text, size_t length)
{
    for (size_t i = 0; i < SCOPES_COUNT; i++) {
        const char *name = scopes_known[i].name;
        if (strlen(name) == length && memcmp(name, text, length) == 0)
            return scopes_known[i].scope;
    }
    return 0;
}

bool dbk_scopes_parse(const char *text, size_t length, unsigned *scopes)
{
    const char *end = text + length;

    for (;;) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *stop = comma ? comma : end;
        unsigned scope = find_scope(text, (size_t)(stop - text));
        if (scope == 0)
            return false;
        *scopes |= scope;
        if (!comma)
            return true;
        text = comma + 1;
    }
}

void dbk_scopes_format(unsigned scopes, char out[DBK_SCOPES_TEXT])
{
    out[0] = '\0';
    for (size_t i = 0; i < SCOPES_COUNT; i++) {
        if (!(scopes & scopes_known[i].scope))
            continue;
        if (*out)
            strcat(out, ",");
        strcat(out, scopes_known[i].name);
    }
}

int tokens_scopes_version(unsigned scopes)
{
    int version = 1;

    for (size_t i = 0; i < SCOPES_COUNT; i++) {
        if ((scopes & scopes_known[i].scope) && scopes_known[i].version > version)
            version = scopes_known[i].version;
    }
    return version;
}

bool dbk_token_name_valid(const char *name, size_t length)
{
    if (length == 0 || length > DBK_TOKEN_NAME_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && (!name[i] || !strchr("._-", name[i])))
            return false;
    }
    return true;
}
