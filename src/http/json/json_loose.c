#include "json_loose.h"

#include "json_walk.h"
#include "store/json_plain.h"

#include <assert.h>
#include <stdint.h>

#define KINDS 64 /* levels whose brackets are told apart; of those deeper, the number */

static bool is_structure(char c)
{
    return c == '"' || c == ',' || c == ':' || c == '[' || c == ']' || c == '{' ||
           c == '}';
}

static bool lose(struct json_loose *loose, const char *why)
{
    loose->wrong = loose->at == loose->end ? "the JSON ends too early" : why;
    return false;
}

bool json_loose_ends(struct json_loose *loose)
{
    loose->at = json_skip_space(loose->at, loose->end);
    return loose->at == loose->end;
}

static bool skip_string(struct json_loose *loose)
{
    const char *at = loose->at + 1;

    for (;;) {
        at += dbk_json_plain(at, loose->end);
        if (at == loose->end || *at == '"')
            break;
        at += *at == '\\' && loose->end - at > 1 ? 2 : 1;
    }
    if (at == loose->end) {
        loose->at = at;
        loose->wrong = "the JSON ends inside a string";
        return false;
    }
    loose->at = at + 1;
    return true;
}

static bool skip_scalar(struct json_loose *loose)
{
    const char *start = loose->at;

    while (loose->at < loose->end && !json_is_space(*loose->at) &&
           !is_structure(*loose->at))
        loose->at++;
    return loose->at > start || lose(loose, "expected a JSON value");
}

/* The brackets that are open: of the outermost, which are curly, from the lowest bit. */
struct open {
    size_t depth;
    uint64_t curly;
};

static void push(struct open *open, char bracket)
{
    uint64_t bit = open->depth < KINDS ? UINT64_C(1) << open->depth : 0;

    open->curly = bracket == '{' ? open->curly | bit : open->curly & ~bit;
    open->depth++;
}

/* False: it was opened by the other kind. */
static bool pop(struct open *open, char bracket)
{
    uint64_t bit;

    assert(open->depth > 0);
    open->depth--;
    bit = open->depth < KINDS ? UINT64_C(1) << open->depth : 0;
    return bit == 0 || ((open->curly & bit) != 0) == (bracket == '}');
}

/* A string stands between [ { , : and , : ] }. Where it does not, a quote is missing or
 * one too many, and what is text could be taken for what is not. */
static bool skip_container(struct json_loose *loose)
{
    struct open open = {0};
    bool value = false, string = false; /* what came last; a string is a value, too */

    do {
        char c;
        if (json_loose_ends(loose))
            return lose(loose, "");
        c = *loose->at;
        if (c == ',' || c == ':') {
            value = string = false;
            loose->at++;
        } else if (c == ']' || c == '}') {
            if (!pop(&open, c))
                return lose(loose, "another bracket is open");
            value = true;
            string = false;
            loose->at++;
        } else if (string || (value && c == '"')) {
            return lose(loose, "expected a comma");
        } else if (c == '{' || c == '[') {
            push(&open, c);
            value = false;
            loose->at++;
        } else {
            value = true;
            string = c == '"';
            if (!(string ? skip_string(loose) : skip_scalar(loose)))
                return false;
        }
    } while (open.depth > 0);
    return true;
}

static bool skip_value(struct json_loose *loose, struct dbk_slice *value)
{
    const char *start;
    bool good;

    if (json_loose_ends(loose))
        return lose(loose, "");
    start = loose->at;
    if (*start == '\'')
        return lose(loose, "expected a JSON value"); /* whose commas are text */
    if (*start == '{' || *start == '[')
        good = skip_container(loose);
    else
        good = *start == '"' ? skip_string(loose) : skip_scalar(loose);
    *value = (struct dbk_slice){start, (size_t)(loose->at - start)};
    return good;
}

void json_loose_start(struct json_loose *loose, struct dbk_slice text)
{
    assert(text.length > 0 && (text.data[0] == '[' || text.data[0] == '{'));
    *loose = (struct json_loose){.at = text.data + 1,
                                 .end = text.data + text.length,
                                 .closing = text.data[0] == '[' ? ']' : '}'};
}

static bool skip_key(struct json_loose *loose)
{
    const char *start = loose->at;

    if (loose->at == loose->end || *loose->at != '"')
        return lose(loose, "expected a key in double quotes");
    if (!skip_string(loose))
        return false;
    loose->key = (struct dbk_slice){start, (size_t)(loose->at - start)};
    if (json_loose_ends(loose) || *loose->at != ':')
        return lose(loose, "expected a colon behind the key");
    loose->at++;
    return true;
}

bool json_loose_next(struct json_loose *loose, struct dbk_slice *item)
{
    bool closed = !json_loose_ends(loose) && *loose->at == loose->closing;

    if (closed) {
        loose->at++;
        return false;
    }
    if (loose->any) {
        if (loose->at == loose->end || *loose->at != ',')
            return lose(loose, loose->closing == ']' ? "expected a comma or ]"
                                                     : "expected a comma or }");
        loose->at++;
        json_loose_ends(loose);
    }
    loose->any = true;
    if (loose->closing == '}' && !skip_key(loose))
        return false;
    return skip_value(loose, item);
}
