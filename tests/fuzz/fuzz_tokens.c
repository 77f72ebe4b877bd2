/* fuzz_tokens.c - whatever the bytes of the file of access tokens are: what is taken is
 * as strict as it was written, and the same when it is written again. */
#include "fuzz.h"
#include "http/tokens.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* A data directory with the file in it. */
static struct {
    char dir[64], path[80];
} place;

static void remove_place(void)
{
    unlink(place.path);
    rmdir(place.dir);
}

static void make_place(void)
{
    if (place.dir[0])
        return;
    strcpy(place.dir, "/tmp/daybook-fuzz-XXXXXX");
    require(mkdtemp(place.dir) != NULL);
    snprintf(place.path, sizeof place.path, "%s/tokens", place.dir);
    atexit(remove_place);
}

static void fill_file(const char *bytes, size_t size)
{
    int fd = open(place.path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    require(fd >= 0 && write(fd, bytes, size) == (ssize_t)size);
    close(fd);
}

/* As the header of tokens.h has it: the file's first line, and one a token. */
static size_t count_lines(const uint8_t *data, size_t size)
{
    size_t lines = 0;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    return lines;
}

/* The words of the line say which scopes. */
static void require_scopes(const char *line, const struct dbk_token *token)
{
    static const char *const names[] = {"read",   "write",   "audit", "admin",
                                        "ingest", "metrics", "erase"};
    char scopes[1024];

    require(strncmp(line, token->name, strlen(token->name)) == 0);
    require(sscanf(line + strlen(token->name), " %1000[^ \n]", scopes) == 1);
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        require((strstr(scopes, names[i]) != NULL) == ((token->scopes >> i & 1) != 0));
}

static void require_lines(const struct dbk_tokens *tokens, const char *text)
{
    for (size_t i = 0; i < tokens->count; i++) {
        text = strchr(text, '\n') + 1;
        require_scopes(text, &tokens->list[i]);
    }
}

static void require_tokens(const struct dbk_tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        const struct dbk_token *token = &tokens->list[i];
        require(dbk_token_name_valid(token->name, strlen(token->name)));
        require(token->scopes > 0 && token->scopes < 2 * DBK_SCOPE_ERASE);
        require(dbk_timestamp_valid(token->created));
        for (size_t before = 0; before < i; before++)
            require(strcmp(tokens->list[before].name, token->name) != 0);
    }
}

static void require_same(const struct dbk_token *a, const struct dbk_token *b)
{
    require(strcmp(a->name, b->name) == 0);
    require(a->scopes == b->scopes && a->created == b->created);
    require(memcmp(&a->bounds, &b->bounds, sizeof a->bounds) == 0);
    require(memcmp(a->hash, b->hash, sizeof a->hash) == 0);
}

static int write_number(const char *key, uint64_t number, char *out, size_t size)
{
    return number ? snprintf(out, size, "%s=%llu ", key, (unsigned long long)number)
                  : 0;
}

static int write_bounds(const struct dbk_token_bounds *bounds, char *out, size_t size)
{
    int used = write_number("rate", bounds->rate, out, size);

    require(strlen(bounds->origins) < sizeof bounds->origins);
    used += write_number("address-rate", bounds->address_rate, out + used,
                         size - (size_t)used);
    used += write_number("bytes-a-day", bounds->bytes_a_day, out + used,
                         size - (size_t)used);
    if (*bounds->origins)
        used +=
            snprintf(out + used, size - (size_t)used, "origins=%s ", bounds->origins);
    return used;
}

static int write_token(const struct dbk_token *token, char *out, size_t size)
{
    char scopes[DBK_SCOPES_TEXT], created[DBK_TIMESTAMP_TEXT + 1];
    int used;

    dbk_scopes_format(token->scopes, scopes);
    require(strlen(scopes) < sizeof scopes);
    dbk_timestamp_format(token->created, created);
    used = snprintf(out, size, "%s %s %s ", token->name, scopes, created);
    used += write_bounds(&token->bounds, out + used, size - (size_t)used);
    for (size_t i = 0; i < sizeof token->hash; i++)
        used += snprintf(out + used, size - (size_t)used, "%02x", token->hash[i]);
    return used + snprintf(out + used, size - (size_t)used, "\n");
}

static void require_same_again(const struct dbk_tokens *tokens)
{
    static const char header[] = "daybook tokens 3\n"; /* which holds all */
    size_t size = sizeof header + tokens->count * 2048, used = strlen(header);
    struct dbk_tokens again;
    char *text = malloc(size);

    require(text != NULL);
    memcpy(text, header, sizeof header);
    for (size_t i = 0; i < tokens->count; i++)
        used += (size_t)write_token(&tokens->list[i], text + used, size - used);
    fill_file(text, used);
    require(dbk_tokens_read(place.dir, &again, NULL) == DBK_OK);
    require(again.count == tokens->count);
    for (size_t i = 0; i < again.count; i++)
        require_same(&again.list[i], &tokens->list[i]);
    dbk_tokens_finish(&again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dbk_tokens tokens;
    struct dbk_error err = {0};
    enum dbk_code code;
    char *text;

    make_place();
    fill_file((const char *)data, size);
    code = dbk_tokens_read(place.dir, &tokens, &err);
    if (code == DBK_OK) {
        require(tokens.count + 1 == count_lines(data, size));
        require(data[size - 1] == '\n');
        text = copy_text(data, size);
        require_lines(&tokens, text);
        free(text);
        require_tokens(&tokens);
        require_same_again(&tokens);
    } else {
        require(code == DBK_DAMAGED || code == DBK_UNSUPPORTED);
        require(tokens.list == NULL && tokens.count == 0);
        require_reason(&err);
        require(strncmp(err.text, place.path, strlen(place.path)) == 0);
    }
    dbk_tokens_finish(&tokens);
    return 0;
}
