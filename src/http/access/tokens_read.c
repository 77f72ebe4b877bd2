#include "tokens_private.h"

#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX ((size_t)2 << 20) /* DBK_TOKENS_MAX lines are less */
#define FIELDS 4                   /* name, scopes, created, hash */

struct field {
    const char *text;
    size_t length;
};

const unsigned char tokens_revoked[DBK_TOKEN_HASH] = {0};

void dbk_tokens_finish(struct dbk_tokens *tokens)
{
    free(tokens->list);
    *tokens = (struct dbk_tokens){0};
}

enum dbk_code tokens_path(const char *dir, const char *name, char path[TOKENS_PATH],
                          struct dbk_error *err)
{
    if (snprintf(path, TOKENS_PATH, "%s/%s", dir, name) < TOKENS_PATH)
        return DBK_OK;
    return dbk_fail(err, DBK_IO, "the data directory's path is too long");
}

void tokens_hash(const char *secret, size_t length, unsigned char out[DBK_TOKEN_HASH])
{
    crypto_generichash(out, DBK_TOKEN_HASH, (const unsigned char *)secret, length, NULL,
                       0);
}

/* Exactly FIELDS of them, with one space between. */
static bool cut_line(const char *line, size_t length, struct field fields[FIELDS])
{
    const char *end = line + length;

    for (size_t i = 0; i < FIELDS; i++) {
        const char *space = memchr(line, ' ', (size_t)(end - line));
        if ((i + 1 < FIELDS) != (space != NULL))
            return false;
        fields[i].text = line;
        fields[i].length = (size_t)((space ? space : end) - line);
        line = space ? space + 1 : end;
    }
    return true;
}

static bool read_hash(struct field field, unsigned char out[DBK_TOKEN_HASH])
{
    size_t length;

    return field.length == (size_t)2 * DBK_TOKEN_HASH &&
           sodium_hex2bin(out, DBK_TOKEN_HASH, field.text, field.length, NULL, &length,
                          NULL) == 0 &&
           length == DBK_TOKEN_HASH;
}

/* Cut out the bounds, which stand between the time and the hash. */
static bool take_bounds(char *line, size_t *length, struct dbk_token_bounds *bounds)
{
    const char *end = line + *length, *hash = memrchr(line, ' ', *length);
    char *at = line;

    for (size_t i = 0; hash && i + 1 < FIELDS; i++) {
        at = memchr(at, ' ', (size_t)(hash + 1 - at));
        if (!at++)
            return false;
    }
    if (!hash || !tokens_parse_bounds(at, (size_t)(hash + 1 - at), bounds))
        return false;
    memmove(at, hash + 1, (size_t)(end - hash - 1));
    *length -= (size_t)(hash + 1 - at);
    return true;
}

static bool read_token(char *line, size_t length, int version, struct dbk_token *token)
{
    struct field fields[FIELDS];

    *token = (struct dbk_token){0};
    if (version > 1 && !take_bounds(line, &length, &token->bounds))
        return false;
    if (!cut_line(line, length, fields) ||
        !dbk_token_name_valid(fields[0].text, fields[0].length))
        return false;
    memcpy(token->name, fields[0].text, fields[0].length);
    return dbk_scopes_parse(fields[1].text, fields[1].length, &token->scopes) &&
           dbk_timestamp_parse(fields[2].text, fields[2].length, &token->created) &&
           read_hash(fields[3], token->hash) &&
           tokens_scopes_version(token->scopes) <= version &&
           (!*token->bounds.origins || token->scopes == DBK_SCOPE_INGEST);
}

bool dbk_token_parse(const char *line, size_t length, struct dbk_token *out)
{
    char own[DBK_TOKEN_LINE]; /* it is changed as it is read */

    if (length >= sizeof own || memchr(line, '\n', length))
        return false;
    memcpy(own, line, length);
    return read_token(own, length, TOKENS_VERSION, out);
}

static bool is_new(const struct dbk_tokens *tokens, const char *name)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (strcmp(tokens->list[i].name, name) == 0)
            return false;
    }
    return true;
}

static enum dbk_code add_line(struct dbk_tokens *tokens, char *line, size_t length,
                              int version, size_t number, const char *path,
                              struct dbk_error *err)
{
    struct dbk_token *token = &tokens->list[tokens->count];

    if (tokens->count == DBK_TOKENS_MAX)
        return dbk_fail(err, DBK_DAMAGED, "%s has more than %d tokens", path,
                        DBK_TOKENS_MAX);
    if (!read_token(line, length, version, token))
        return dbk_fail(err, DBK_DAMAGED,
                        "%s line %zu is not a name, scopes, a time and a hash", path,
                        number);
    if (!is_new(tokens, token->name))
        return dbk_fail(err, DBK_DAMAGED, "%s line %zu: there is a token \"%s\" before",
                        path, number, token->name);
    if (memcmp(token->hash, tokens_revoked, DBK_TOKEN_HASH) != 0)
        tokens->count++;
    return DBK_OK;
}

static enum dbk_code check_header(const char *text, int *version, const char *path,
                                  struct dbk_error *err)
{
    size_t length = strlen(TOKENS_BEGINNING);

    if (strncmp(text, TOKENS_BEGINNING, length) != 0)
        return dbk_fail(err, DBK_DAMAGED, "%s does not begin with \"daybook tokens 1\"",
                        path);
    *version = text[length] - '0';
    if (*version >= 1 && *version <= TOKENS_VERSION && text[length + 1] == '\n')
        return DBK_OK;
    return dbk_fail(err, DBK_UNSUPPORTED, "%s is of a newer version of daybook", path);
}

static enum dbk_code parse(char *text, size_t length, const char *path,
                           struct dbk_tokens *tokens, struct dbk_error *err)
{
    char *at = text, *end = text + length;
    size_t number = 2; /* behind the header */
    int version;

    if (check_header(text, &version, path, err) != DBK_OK)
        return err->code;
    for (at += strlen(TOKENS_HEADER); at < end;) {
        char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            return dbk_fail(err, DBK_DAMAGED, "%s is cut: its last line has no end",
                            path);
        if (add_line(tokens, at, (size_t)(stop - at), version, number++, path, err) !=
            DBK_OK)
            return err->code;
        at = stop + 1;
    }
    return DBK_OK;
}

/* Whoever may change the file lets in whom they like. */
static enum dbk_code check_file(int fd, const char *path, struct dbk_error *err)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return dbk_fail(err, DBK_IO, "look at %s: %s", path, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return dbk_fail(err, DBK_IO, "%s is not a file", path);
    if (status.st_mode & 077)
        return dbk_fail(err, DBK_IO,
                        "%s is open to others than its owner (mode %03o): look at "
                        "what it holds, then chmod 600 it",
                        path, (unsigned)status.st_mode & 0777U);
    return DBK_OK;
}

static enum dbk_code read_open(int fd, const char *path, struct dbk_tokens *tokens,
                               struct dbk_error *err)
{
    char *text = calloc(1, FILE_MAX + 1);
    size_t length;
    enum dbk_code code;

    /* One more than there may be: add_line refuses what it would hold. */
    tokens->list = calloc(DBK_TOKENS_MAX + 1, sizeof *tokens->list);
    if (!text || !tokens->list) {
        free(text);
        return dbk_fail(err, DBK_NO_MEMORY, "read %s: out of memory", path);
    }
    code = check_file(fd, path, err);
    if (code == DBK_OK)
        code = dbk_read_all(fd, text, FILE_MAX, &length, path, err);
    if (code == DBK_OK && length == FILE_MAX)
        code = dbk_fail(err, DBK_DAMAGED, "%s is too large", path);
    if (code == DBK_OK)
        code = parse(text, length, path, tokens, err);
    free(text);
    return code;
}

enum dbk_code dbk_tokens_read(const char *dir, struct dbk_tokens *tokens,
                              struct dbk_error *err)
{
    char path[TOKENS_PATH];
    enum dbk_code code;
    int fd;

    *tokens = (struct dbk_tokens){0};
    if (tokens_path(dir, "tokens", path, err) != DBK_OK)
        return err->code;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return DBK_OK;
    if (fd < 0)
        return dbk_fail(err, DBK_IO, "open %s: %s", path, strerror(errno));
    tokens->there = true;
    code = read_open(fd, path, tokens, err);
    close(fd);
    if (code != DBK_OK)
        dbk_tokens_finish(tokens);
    return code;
}
