/* tokens.h - the access tokens of a data directory: DATA_DIR/tokens, a small file of text.
 *
 *     daybook tokens 1
 *     kate read,write 2026-11-25T10:16:17.330037 3f9a…
 *
 * A line a token: its name, its scopes, when it was created, and the BLAKE2b hash of its
 * secret in hex. Where a token has bounds, or the scope ingest, the file is of version 2,
 * where one has the scope metrics, of version 3, and where one has the scope erase, of
 * version 4: so an older program says that the file
 * is of a newer one. Before the hash stand the bounds that a token has, in this order:
 *
 *     daybook tokens 2
 *     web ingest 2026-11-25T10:16:17.330037 rate=500 address-rate=5 bytes-a-day=1048576
 *     origins=https://shop.example,https://www.shop.example 3f9a…   (one line)
 *
 * The secret is told once, when it is made, and is nowhere on disk. A plain
 * hash is enough for it: it has 256 random bits, so there is nothing to guess that a slow
 * hash would slow down, and each request would pay for one.
 *
 * The file is never changed in place: a new one is written beside it (tokens.tmp, whose
 * lock keeps other writers out), synced and renamed, so whoever reads sees the old one or
 * the new one, whole.
 */
#ifndef DBK_HTTP_TOKENS_H
#define DBK_HTTP_TOKENS_H

#include "store/error.h"
#include "store/timestamp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DBK_TOKEN_NAME_MAX 64 /* characters; it is the actor of records */
#define DBK_TOKEN_SECRET 47   /* characters: "dbk_" and 32 bytes as base64url */
#define DBK_TOKEN_HASH 32     /* bytes */
#define DBK_TOKENS_MAX 1000   /* all are compared for each request */
#define DBK_SCOPES_TEXT 48    /* bytes for the names of all scopes */
#define DBK_TOKEN_LINE 2048   /* bytes of a token's line, with a NUL */
#define DBK_ORIGINS_TEXT 1024 /* bytes for the origins of a token */
#define DBK_RATE_MAX 1000000  /* events a second */
#define DBK_BYTES_A_DAY_MAX (INT64_C(1) << 49) /* so that it has 15 digits at most */

enum {
    DBK_SCOPE_READ = 1,  /* persons and events */
    DBK_SCOPE_WRITE = 2, /* every change */
    DBK_SCOPE_AUDIT = 4, /* the log */
    DBK_SCOPE_ADMIN = 8, /* everything */
    /* Append events and aliases, and learn nothing: who has it alone is answered with ids,
     * whatever the log knows, so that it may stand in a page that everybody can read. */
    DBK_SCOPE_INGEST = 16,
    DBK_SCOPE_METRICS = 32, /* GET /metrics, and nothing else */
    DBK_SCOPE_ERASE = 64,   /* erase persons for good, and read the receipts */
};

/* How much a token may be used, and by whose pages; zeroed: as much as one likes. */
struct dbk_token_bounds {
    uint32_t rate;         /* events a second; 0: any number */
    uint32_t address_rate; /* the same, of one client's address */
    uint64_t bytes_a_day;  /* of bodies; 0: any number */
    /* Whose pages may send with it, with commas between, or "*": everyone's. "": those of
     * CORS_ORIGINS. Only of a token that has the scope ingest alone. */
    char origins[DBK_ORIGINS_TEXT];
};

struct dbk_token {
    char name[DBK_TOKEN_NAME_MAX + 1];
    unsigned scopes; /* at least one */
    dbk_timestamp created;
    struct dbk_token_bounds bounds;
    unsigned char hash[DBK_TOKEN_HASH];
};

/* In the order of their creation. */
struct dbk_tokens {
    struct dbk_token *list;
    size_t count;
    bool there; /* there is a file, so there has been a token */
};
void dbk_tokens_finish(struct dbk_tokens *tokens); /* a zeroed one is fine */

/* Add to *scopes those that text names, separated by commas. False: something else is
 * there. The other way, in this order: "read,write,audit,admin,ingest,
 * metrics,erase". */
bool dbk_scopes_parse(const char *text, size_t length, unsigned *scopes);
void dbk_scopes_format(unsigned scopes, char out[DBK_SCOPES_TEXT]);

/* Whether it is an origin as browsers write them, for they are compared byte by byte: small
 * letters, no path, and no port that is the scheme's own. */
bool dbk_origin_valid(const char *text);

/* Whether these bounds let pages of this origin send. */
bool dbk_token_origin_let(const struct dbk_token_bounds *bounds, const char *origin);

/* 1 to DBK_TOKEN_NAME_MAX of letters, digits, '.', '_' and '-'. */
bool dbk_token_name_valid(const char *name, size_t length);

/* Read the file of this data directory; where there is none there are no tokens. On
 * failure *tokens is zeroed.
 *
 * DBK_DAMAGED  it is not as it was written; err names the line
 * DBK_IO       it cannot be read, or others than its owner may read or change it
 * DBK_UNSUPPORTED  a newer version wrote it
 * DBK_NO_MEMORY
 */
enum dbk_code dbk_tokens_read(const char *dir, struct dbk_tokens *tokens,
                              struct dbk_error *err);

/* Whether a server may listen on this numeric address: on one that others can reach only
 * where there are tokens, so that nobody is let in unasked. *count receives how many there
 * are; dir NULL: none.
 *
 * DBK_INVALID  there are none; err says what to do
 * and what dbk_tokens_read fails with
 */
enum dbk_code dbk_tokens_allow(const char *dir, const char *address, size_t *count,
                               struct dbk_error *err);

/* Make a token, durable when it returns; bounds may be NULL: none. secret receives what its
 * owner must be told.
 * Made by root, the file belongs to the directory's owner, for whom the server runs.
 *
 * DBK_INVALID    the name is none, there is no scope, or origins are none, or are given to
 *                one that has another scope than ingest
 * DBK_EXISTS     there is one of this name
 * DBK_TOO_LARGE  there are DBK_TOKENS_MAX
 * DBK_NO_ROOM, and what dbk_tokens_read fails with
 */
enum dbk_code dbk_tokens_create(const char *dir, const char *name, unsigned scopes,
                                const struct dbk_token_bounds *bounds,
                                char secret[DBK_TOKEN_SECRET + 1],
                                struct dbk_error *err);

/* Take a token out of the file, durably; *left receives how many are there still.
 *
 * DBK_NOT_FOUND  there is none of this name
 * DBK_CONFLICT   with keep_admin: no other has the scope admin
 * DBK_NO_ROOM, and what dbk_tokens_read fails with
 */
enum dbk_code dbk_tokens_revoke(const char *dir, const char *name, bool keep_admin,
                                size_t *left, struct dbk_error *err);

/* A token's line, without its end, as the newest version of the file has it; and back: false
 * where it is none, or is one of a newer program. For copies of the table elsewhere. */
void dbk_token_format(const struct dbk_token *token, char out[DBK_TOKEN_LINE]);
bool dbk_token_parse(const char *line, size_t length, struct dbk_token *out);

/* Change the whole table, while nobody else can: edit is given it, with room for
 * DBK_TOKENS_MAX in list, and returns whether it changed anything; then it is durable when
 * this returns. As dbk_tokens_create. */
enum dbk_code dbk_tokens_edit(const char *dir,
                              bool (*edit)(void *context, struct dbk_tokens *tokens),
                              void *context, struct dbk_error *err);

#endif
