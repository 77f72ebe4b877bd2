#include "token_changes.h"

#include "store/render.h"

#include <stdlib.h>
#include <string.h>

static const char put_begins[] = "{\"put\":\"", put_ends[] = "\"}";

void token_changes_finish(struct token_changes *changes)
{
    free(changes->list);
    *changes = (struct token_changes){0};
}

static struct dbk_token *find(const struct dbk_tokens *tokens, const char *name)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (!strcmp(tokens->list[i].name, name))
            return &tokens->list[i];
    }
    return NULL;
}

static bool tokens_equal(const struct dbk_token *one, const struct dbk_token *other)
{
    char line[DBK_TOKEN_LINE], other_line[DBK_TOKEN_LINE];

    dbk_token_format(one, line);
    dbk_token_format(other, other_line);
    return !strcmp(line, other_line);
}

static bool changes_equal(const struct token_change *one,
                          const struct token_change *other)
{
    if (strcmp(one->token.name, other->token.name) != 0 ||
        one->revoked != other->revoked)
        return false;
    return one->revoked || tokens_equal(&one->token, &other->token);
}

enum dbk_code token_changes_find(const struct dbk_tokens *from,
                                 const struct dbk_tokens *to, struct token_changes *out,
                                 struct dbk_error *err)
{
    *out = (struct token_changes){0};
    out->list = calloc(from->count + to->count + 1, sizeof *out->list);
    if (!out->list)
        return dbk_fail(err, DBK_NO_MEMORY, "compare the tokens: out of memory");
    for (size_t i = 0; i < from->count; i++) {
        if (!find(to, from->list[i].name))
            out->list[out->count++] =
                (struct token_change){.revoked = true, .token = from->list[i]};
    }
    for (size_t i = 0; i < to->count; i++) {
        const struct dbk_token *before = find(from, to->list[i].name);

        if (!before || !tokens_equal(before, &to->list[i]))
            out->list[out->count++] = (struct token_change){.token = to->list[i]};
    }
    return DBK_OK;
}

static bool has(const struct token_changes *changes, const struct token_change *one)
{
    for (size_t i = 0; i < changes->count; i++) {
        if (changes_equal(&changes->list[i], one))
            return true;
    }
    return false;
}

void token_changes_without(struct token_changes *changes,
                           const struct token_changes *others)
{
    size_t kept = 0;

    for (size_t i = 0; i < changes->count; i++) {
        if (!has(others, &changes->list[i]))
            changes->list[kept++] = changes->list[i];
    }
    changes->count = kept;
}

static void take_out(struct dbk_tokens *tokens, struct dbk_token *token)
{
    tokens->count--;
    memmove(token, token + 1,
            (size_t)(tokens->list + tokens->count - token) * sizeof *token);
}

void token_changes_apply(const struct token_changes *changes, struct dbk_tokens *tokens)
{
    for (size_t i = 0; i < changes->count; i++) {
        const struct token_change *change = &changes->list[i];
        struct dbk_token *token = find(tokens, change->token.name);

        if (change->revoked && token)
            take_out(tokens, token);
        else if (!change->revoked && token)
            *token = change->token;
        else if (!change->revoked && tokens->count < DBK_TOKENS_MAX)
            tokens->list[tokens->count++] = change->token;
    }
}

enum dbk_code token_changes_write(const struct token_changes *changes, char **text,
                                  size_t *length, struct dbk_error *err)
{
    struct dbk_render out = {0};
    char line[DBK_TOKEN_LINE];

    for (size_t i = 0; i < changes->count; i++) {
        const struct token_change *change = &changes->list[i];

        if (change->revoked) {
            dbk_render_text(&out, "{\"revoke\":\"");
            dbk_render_text(&out, change->token.name);
        } else { /* neither quotes nor backslashes can stand in a line */
            dbk_token_format(&change->token, line);
            dbk_render_text(&out, put_begins);
            dbk_render_text(&out, line);
        }
        dbk_render_text(&out, put_ends);
        dbk_render_text(&out, "\n");
    }
    *text = out.text;
    *length = out.length;
    if (dbk_render_code(&out) == DBK_OK)
        return DBK_OK;
    dbk_render_finish(&out);
    return dbk_fail(err, DBK_NO_MEMORY, "tell the tokens: out of memory");
}

static void add_line(struct dbk_slice line, struct dbk_tokens *out)
{
    const size_t begins = sizeof put_begins - 1, ends = sizeof put_ends - 1;
    struct dbk_token token;

    if (line.length < begins + ends || out->count == DBK_TOKENS_MAX ||
        memcmp(line.data, put_begins, begins) != 0 ||
        memcmp(line.data + line.length - ends, put_ends, ends) != 0)
        return;
    if (dbk_token_parse(line.data + begins, line.length - begins - ends, &token) &&
        !find(out, token.name))
        out->list[out->count++] = token;
}

enum dbk_code token_changes_table(struct dbk_slice text, struct dbk_tokens *out,
                                  struct dbk_error *err)
{
    *out = (struct dbk_tokens){.there = true};
    out->list = calloc(DBK_TOKENS_MAX, sizeof *out->list);
    if (!out->list)
        return dbk_fail(err, DBK_NO_MEMORY, "read the tokens: out of memory");
    while (text.length > 0) {
        const char *feed = memchr(text.data, '\n', text.length);
        size_t length = feed ? (size_t)(feed - text.data) : text.length;

        add_line((struct dbk_slice){text.data, length}, out);
        length += feed != NULL;
        text = (struct dbk_slice){text.data + length, text.length - length};
    }
    return DBK_OK;
}

bool token_tables_equal(const struct dbk_tokens *one, const struct dbk_tokens *other)
{
    if (one->count != other->count)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        if (!tokens_equal(&one->list[i], &other->list[i]))
            return false;
    }
    return true;
}
