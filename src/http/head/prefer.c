#include "prefer.h"

#include <string.h>
#include <strings.h>

static size_t skip_blanks(struct dbk_slice text, size_t at)
{
    while (at < text.length && (text.data[at] == ' ' || text.data[at] == '\t'))
        at++;
    return at;
}

/* "name", "name=value" or "name = "value"", and parameters behind a semicolon. */
static bool take(struct dbk_slice member, const char *name, struct dbk_slice *value)
{
    size_t at = strlen(name), end;
    bool quoted;

    if (member.length < at || strncasecmp(member.data, name, at) != 0)
        return false;
    at = skip_blanks(member, at);
    *value = (struct dbk_slice){member.data + at, 0};
    if (at == member.length || member.data[at] == ';')
        return true;
    if (member.data[at] != '=')
        return false;
    at = skip_blanks(member, at + 1);
    quoted = at < member.length && member.data[at] == '"';
    at += quoted;
    for (end = at; end < member.length; end++) {
        if (quoted ? member.data[end] == '"' : strchr("; \t", member.data[end]) != NULL)
            break;
    }
    *value = (struct dbk_slice){member.data + at, end - at};
    return true;
}

bool prefer_find(const struct head *head, const char *name, struct dbk_slice *value)
{
    size_t field = 0, length;
    const char *at = NULL, *member;

    while ((member = head_list_next(head, "Prefer", &field, &at, &length))) {
        if (take((struct dbk_slice){member, length}, name, value))
            return true;
    }
    return false;
}
