/* access.h - the access tokens, as the file has them now. */
#ifndef DBK_HTTP_ACCESS_H
#define DBK_HTTP_ACCESS_H

#include "http/tokens.h"
#include "quota.h"
#include "store/slice.h"

#include <stdbool.h>

struct access; /* safe to share between threads */

struct access_options {
    const char *dir; /* NULL: no tokens, and none will come */
    const char *address;
    bool required; /* from the start: where there is no token nobody is let in */
    /* Those of tokens that only ingest and have none of their own; NULL, or ends with
     * NULL. */
    const char *const *cors_origins;
    void (*report)(void *context, const char *line); /* trouble; may be NULL */
    void *report_context;
};

/* Read the file, and begin to look twice a second whether there is another: a revoked
 * token is refused within a second. Strings are borrowed.
 *
 * Failures: those of dbk_tokens_allow; DBK_NO_MEMORY. *access is NULL then. */
enum dbk_code access_create(const struct access_options *options,
                            struct access **access, struct dbk_error *err);
void access_destroy(struct access *access); /* NULL is fine */

/* Look now: what was changed before counts when this returns. */
void access_look(struct access *access);

/* Whether requests must bring a token: since there has been one, or a file that cannot
 * be read. It never falls back, so that nobody opens the door by removing the file, or
 * by revoking the last token. */
bool access_required(const struct access *access);

struct access_bearer {
    char name[DBK_TOKEN_NAME_MAX + 1];
    unsigned scopes;
    bool origin_let; /* pages of the origin that was given may send with it */
    struct quota_use use;
};

/* Whose token it is; origin is that of a page that brings it, or NULL, and address of
 * whom its use is counted for. Takes as long for one that is right as for one that is wrong.
 *
 * DBK_NOT_FOUND    nobody's
 * DBK_UNAVAILABLE  the file cannot be read now; whoever is at the door stays outside
 */
enum dbk_code access_find(struct access *access, struct dbk_slice secret,
                          const char *origin, uint32_t address,
                          struct access_bearer *bearer, struct dbk_error *err);

/* Whether who was let in a while ago would be still: by the token with this hash, which must
 * have one of these scopes or admin; or, hash NULL, because none was asked for. False where
 * the file cannot be read. */
bool access_holds(struct access *access, const unsigned char *hash, unsigned scopes);

/* Whether there is a token that only ingests; and one for which pages of this origin may
 * send. A browser asks before it brings the token, so which one is not known. */
bool access_ingests(struct access *access);
bool access_origin_let(struct access *access, const char *origin);

#endif
