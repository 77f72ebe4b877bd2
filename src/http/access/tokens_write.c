#include "store/durable.h"
#include "tokens_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A change under way: the new file, which is locked. */
struct change {
    char path[TOKENS_PATH], tmp[TOKENS_PATH];
    const char *dir;
    int fd;
    struct dbk_tokens tokens;
};

/* Whoever had the lock before us has renamed the file that we opened, or left it. */
static bool still_named(int fd, const char *path)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

static enum dbk_code open_locked(struct change *change, struct dbk_error *err)
{
    for (;;) {
        change->fd = open(change->tmp, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (change->fd < 0)
            return dbk_system_fail(err, "open", change->tmp);
        if (flock(change->fd, LOCK_EX) != 0) {
            dbk_system_fail(err, "lock", change->tmp);
            close(change->fd);
            change->fd = -1;
            return err->code;
        }
        if (still_named(change->fd, change->tmp))
            return DBK_OK;
        close(change->fd);
        change->fd = -1;
    }
}

/* The folder may belong to another user than us, who is root: what was put there in the
 * place of our file must not be written to, or given away. */
static enum dbk_code check_plain(const struct change *change, struct dbk_error *err)
{
    struct stat status;

    if (fstat(change->fd, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_nlink == 1)
        return DBK_OK;
    return dbk_fail(err, DBK_IO, "%s was no plain file of its own, and is removed",
                    change->tmp);
}

/* What is read under the lock nobody else is changing. */
static enum dbk_code begin(struct change *change, const char *dir,
                           struct dbk_error *err)
{
    *change = (struct change){.dir = dir, .fd = -1};
    if (sodium_init() < 0)
        return dbk_fail(err, DBK_IO, "libsodium does not start");
    if (tokens_path(dir, "tokens", change->path, err) != DBK_OK ||
        tokens_path(dir, "tokens.tmp", change->tmp, err) != DBK_OK)
        return err->code;
    if (open_locked(change, err) != DBK_OK)
        return err->code;
    if (check_plain(change, err) != DBK_OK)
        return err->code;
    return dbk_tokens_read(dir, &change->tokens, err);
}

static void end(struct change *change)
{
    dbk_tokens_finish(&change->tokens);
    if (change->fd < 0)
        return;
    if (still_named(change->fd, change->tmp)) /* else it was renamed */
        unlink(change->tmp);
    close(change->fd); /* and the lock with it */
}

void dbk_token_format(const struct dbk_token *token, char out[DBK_TOKEN_LINE])
{
    char scopes[DBK_SCOPES_TEXT], created[DBK_TIMESTAMP_TEXT + 1];
    char hash[2 * DBK_TOKEN_HASH + 1], bounds[TOKENS_LINE];
    int length;

    dbk_scopes_format(token->scopes, scopes);
    dbk_timestamp_format(token->created, created);
    sodium_bin2hex(hash, sizeof hash, token->hash, sizeof token->hash);
    tokens_format_bounds(&token->bounds, bounds);
    length = snprintf(out, DBK_TOKEN_LINE, "%s %s %s %s%s", token->name, scopes,
                      created, bounds, hash);
    assert(length < DBK_TOKEN_LINE);
}

static enum dbk_code write_token(const struct change *change,
                                 const struct dbk_token *token, struct dbk_error *err)
{
    char line[DBK_TOKEN_LINE + 1];

    dbk_token_format(token, line);
    strcat(line, "\n");
    return dbk_write_all(change->fd, line, strlen(line), change->tmp, err);
}

static enum dbk_code write_tokens(const struct change *change, struct dbk_error *err)
{
    char header[] = TOKENS_HEADER;
    enum dbk_code code;
    int version = 1;

    for (size_t i = 0; i < change->tokens.count; i++) {
        int own = tokens_version(&change->tokens.list[i]);
        version = own > version ? own : version;
    }
    header[strlen(TOKENS_BEGINNING)] = (char)('0' + version);
    code = dbk_write_all(change->fd, header, strlen(header), change->tmp, err);
    for (size_t i = 0; code == DBK_OK && i < change->tokens.count; i++)
        code = write_token(change, &change->tokens.list[i], err);
    return code;
}

/* The server may run as another user than root, who makes a token. */
static bool give_to_owner(const struct change *change)
{
    struct stat status;

    return geteuid() != 0 || (stat(change->dir, &status) == 0 &&
                              fchown(change->fd, status.st_uid, status.st_gid) == 0);
}

static enum dbk_code put_in_place(const struct change *change, struct dbk_error *err)
{
    /* A run that was killed may have left something in it. */
    if (!give_to_owner(change) || ftruncate(change->fd, 0) != 0 ||
        fchmod(change->fd, 0600) != 0)
        return dbk_system_fail(err, "write", change->tmp);
    if (write_tokens(change, err) != DBK_OK)
        return err->code;
    return dbk_replace(change->fd, change->tmp, change->path, err);
}

static struct dbk_token *find(const struct dbk_tokens *tokens, const char *name)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (strcmp(tokens->list[i].name, name) == 0)
            return &tokens->list[i];
    }
    return NULL;
}

static void make_secret(char secret[DBK_TOKEN_SECRET + 1])
{
    unsigned char random[32];

    randombytes_buf(random, sizeof random);
    memcpy(secret, "dbk_", 4);
    sodium_bin2base64(secret + 4, DBK_TOKEN_SECRET + 1 - 4, random, sizeof random,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(random, sizeof random);
}

static enum dbk_code add(struct dbk_tokens *tokens, const char *name, unsigned scopes,
                         const struct dbk_token_bounds *bounds, const char *secret,
                         struct dbk_error *err)
{
    struct dbk_token *list, *token;

    if (find(tokens, name))
        return dbk_fail(err, DBK_EXISTS,
                        "there is a token \"%s\" already: revoke it first, or choose "
                        "another name",
                        name);
    if (tokens->count >= DBK_TOKENS_MAX)
        return dbk_fail(err, DBK_TOO_LARGE,
                        "there are %d tokens, and no more may be: revoke one that "
                        "nobody uses (DELETE /admin/tokens/NAME, or daybook token "
                        "revoke NAME), and make this one then",
                        DBK_TOKENS_MAX);
    list = reallocarray(tokens->list, tokens->count + 1, sizeof *list);
    if (!list)
        return dbk_fail(err, DBK_NO_MEMORY, "make a token: out of memory");
    tokens->list = list;
    token = &list[tokens->count++];
    *token = (struct dbk_token){.scopes = scopes, .created = dbk_timestamp_now()};
    memcpy(token->name, name, strlen(name));
    if (bounds)
        token->bounds = *bounds;
    tokens_hash(secret, DBK_TOKEN_SECRET, token->hash);
    return DBK_OK;
}

static enum dbk_code check_draft(const char *name, unsigned scopes,
                                 const struct dbk_token_bounds *bounds,
                                 struct dbk_error *err)
{
    if (!dbk_token_name_valid(name, strlen(name)))
        return dbk_fail(err, DBK_INVALID,
                        "a token's name is 1 to %d letters, digits, '.', '_' and '-', "
                        "not \"%.80s\"",
                        DBK_TOKEN_NAME_MAX, name);
    if (scopes == 0)
        return dbk_fail(err, DBK_INVALID, "a token without a scope may do nothing");
    if (!bounds)
        return DBK_OK;
    if (*bounds->origins && scopes != DBK_SCOPE_INGEST)
        return dbk_fail(
            err, DBK_INVALID,
            "origins are of a token that has the scope ingest alone: what a "
            "page holds, everybody can read");
    if (bounds->rate > DBK_RATE_MAX || bounds->address_rate > DBK_RATE_MAX ||
        bounds->bytes_a_day > DBK_BYTES_A_DAY_MAX ||
        !tokens_origins_valid(bounds->origins))
        return dbk_fail(err, DBK_INVALID, "a token's bounds are out of theirs");
    return DBK_OK;
}

enum dbk_code dbk_tokens_create(const char *dir, const char *name, unsigned scopes,
                                const struct dbk_token_bounds *bounds,
                                char secret[DBK_TOKEN_SECRET + 1],
                                struct dbk_error *err)
{
    struct change change;
    enum dbk_code code;

    if (check_draft(name, scopes, bounds, err) != DBK_OK)
        return err->code;
    code = begin(&change, dir, err);
    if (code == DBK_OK) {
        make_secret(secret);
        code = add(&change.tokens, name, scopes, bounds, secret, err);
    }
    if (code == DBK_OK)
        code = put_in_place(&change, err);
    end(&change);
    return code;
}

/* Where the line of that name has its hash; -1: there is none, which may be tried. */
static off_t find_hash(int fd, const char *name)
{
    char line[TOKENS_LINE];
    int own = dup(fd);
    FILE *file = own < 0 ? NULL : fdopen(own, "re");
    size_t length = strlen(name);
    off_t found = -1, at = 0;

    while (file && found < 0 && fgets(line, sizeof line, file)) {
        const char *hash = strrchr(line, ' ');

        if (strncmp(line, name, length) == 0 && line[length] == ' ' &&
            strlen(hash) == 2 + (size_t)2 * DBK_TOKEN_HASH) /* " hash\n" */
            found = at + (hash + 1 - line);
        at += (off_t)strlen(line);
    }
    if (file)
        fclose(file);
    else if (own >= 0)
        close(own);
    return found;
}

/* On a full disk there is no room for another file: its hash is written over, in bytes that
 * the file has. Killed half-way, it matches no secret either. */
static enum dbk_code revoke_in_place(const struct change *change, const char *name,
                                     struct dbk_error *err)
{
    char zeros[2 * DBK_TOKEN_HASH];
    int fd = open(change->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    enum dbk_code code;
    off_t at;

    if (fd < 0)
        return dbk_system_fail(err, "open", change->path);
    memset(zeros, '0', sizeof zeros);
    at = find_hash(fd, name);
    if (at < 0 || pwrite(fd, zeros, sizeof zeros, at) != sizeof zeros)
        code = dbk_system_fail(err, "write over a line of", change->path);
    else
        code = dbk_sync_file(fd, change->path, err);
    close(fd);
    return code;
}

static bool is_last_admin(const struct dbk_tokens *tokens,
                          const struct dbk_token *token)
{
    size_t admins = 0;

    for (size_t i = 0; i < tokens->count; i++)
        admins += (tokens->list[i].scopes & DBK_SCOPE_ADMIN) != 0;
    return admins == 1 && (token->scopes & DBK_SCOPE_ADMIN);
}

static enum dbk_code take_out(struct dbk_tokens *tokens, const char *name,
                              bool keep_admin, struct dbk_error *err)
{
    struct dbk_token *token = find(tokens, name);

    if (!token)
        return dbk_fail(err, DBK_NOT_FOUND, "there is no token \"%.80s\"", name);
    if (keep_admin && is_last_admin(tokens, token))
        return dbk_fail(err, DBK_CONFLICT,
                        "\"%.80s\" is the last token with the scope admin", name);
    tokens->count--;
    memmove(token, token + 1,
            (size_t)(tokens->list + tokens->count - token) * sizeof *token);
    return DBK_OK;
}

enum dbk_code dbk_tokens_revoke(const char *dir, const char *name, bool keep_admin,
                                size_t *left, struct dbk_error *err)
{
    struct change change;
    enum dbk_code code = begin(&change, dir, err);
    bool room = code != DBK_NO_ROOM;

    if (!room)
        code = dbk_tokens_read(dir, &change.tokens, err);
    if (code == DBK_OK)
        code = take_out(&change.tokens, name, keep_admin, err);
    if (code == DBK_OK) {
        *left = change.tokens.count;
        code = room ? put_in_place(&change, err) : DBK_NO_ROOM;
        if (code == DBK_NO_ROOM)
            code = revoke_in_place(&change, name, err);
    }
    end(&change);
    return code;
}

/* With room for all that there may be. */
static enum dbk_code grow(struct dbk_tokens *tokens, struct dbk_error *err)
{
    struct dbk_token *list =
        reallocarray(tokens->list, DBK_TOKENS_MAX, sizeof *tokens->list);

    if (!list)
        return dbk_fail(err, DBK_NO_MEMORY, "change the tokens: out of memory");
    tokens->list = list;
    return DBK_OK;
}

enum dbk_code dbk_tokens_edit(const char *dir,
                              bool (*edit)(void *context, struct dbk_tokens *tokens),
                              void *context, struct dbk_error *err)
{
    struct change change;
    enum dbk_code code = begin(&change, dir, err);

    if (code == DBK_OK)
        code = grow(&change.tokens, err);
    if (code == DBK_OK && edit(context, &change.tokens))
        code = put_in_place(&change, err);
    end(&change);
    return code;
}
