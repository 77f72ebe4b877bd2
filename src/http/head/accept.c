#include "accept.h"

#include "head.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

/* To the next of these marks that stands in no quotes, or the end. */
static const char *skip_to(const char *at, const char *marks)
{
    bool quoted = false;

    for (; *at && (quoted || !strchr(marks, *at)); at++) {
        if (quoted && at[0] == '\\' && at[1])
            at++;
        else if (*at == '"')
            quoted = !quoted;
    }
    return at;
}

/* "0.5" as 500. What is no weight counts as none was given. */
static int weight_of(const char *text)
{
    int weight = 0, unit = ACCEPT_FULLY;

    if (*text != '0' && *text != '1')
        return ACCEPT_FULLY;
    weight = *text++ == '1' ? unit : 0;
    if (*text == '.') {
        for (text++; *text >= '0' && *text <= '9' && unit > 1; text++) {
            unit /= 10;
            weight += unit * (*text - '0');
        }
    }
    if (strcspn(text, " \t;,") != 0)
        return ACCEPT_FULLY;
    return weight < ACCEPT_FULLY ? weight : ACCEPT_FULLY;
}

int accept_weight(const char *parameters)
{
    while (*parameters == ';') {
        parameters++;
        parameters += strspn(parameters, " \t");
        if ((parameters[0] == 'q' || parameters[0] == 'Q') && parameters[1] == '=')
            return weight_of(parameters + 2);
        parameters = skip_to(parameters, ";,");
    }
    return ACCEPT_FULLY;
}

static enum accept_range range_of(const char *range, size_t length, const char *type)
{
    size_t family = strcspn(type, "/") + 1; /* with its slash */

    if (length == strlen(type) && strncasecmp(range, type, length) == 0)
        return ACCEPT_NAMED;
    if (length == family + 1 && strncasecmp(range, type, family) == 0 &&
        range[family] == '*')
        return ACCEPT_SUBTYPES;
    return length == 3 && memcmp(range, "*/*", 3) == 0 ? ACCEPT_ANY : ACCEPT_NONE;
}

void accept_add(struct accept *accept, const char *header, const char *type)
{
    const char *at = header ? header : "";

    for (; *at; at = skip_to(at, ",")) {
        size_t length;
        enum accept_range range;
        int weight;

        at += strspn(at, ", \t");
        length = strcspn(at, ";, \t");
        range = range_of(at, length, type);
        at += length + strspn(at + length, " \t");
        weight = accept_weight(at);
        if (range == ACCEPT_NONE || range < accept->range ||
            (range == accept->range && weight <= accept->weight))
            continue;
        *accept = (struct accept){range, weight};
    }
}

struct accept accept_of(const struct head *head, const char *type)
{
    struct accept accept = {ACCEPT_NONE, 0};

    for (size_t i = 0; i < head->count; i++) {
        if (strcasecmp(head->fields[i].name, "Accept") == 0)
            accept_add(&accept, head->fields[i].value, type);
    }
    return accept;
}

bool accept_excludes(struct accept accept)
{
    return accept.range != ACCEPT_NONE && accept.weight == 0;
}

bool accept_prefers(struct accept first, struct accept second)
{
    if (accept_excludes(first))
        return false;
    if (accept_excludes(second))
        return true;
    if (first.range == ACCEPT_NONE)
        return false;
    if (second.range == ACCEPT_NONE || first.weight > second.weight)
        return true;
    /* Named beside "application/json" it is asked for; a star alone asks for nothing. */
    return first.weight == second.weight &&
           (first.range == ACCEPT_NAMED || first.range > second.range);
}
