#include "properties.h"

#include <stdio.h>
#include <string.h>

static const char *const pages[] = {"/", "/home", "/about", "/search?q=caf\xC3\xA9",
                                    "/\xE6\x9D\x8E/\xCE\xA9"};

static const char *page(struct random *random)
{
    return pages[random_below(random, sizeof pages / sizeof *pages)];
}

static unsigned number(struct random *random, unsigned bound)
{
    return (unsigned)random_below(random, bound);
}

static int write_view(struct random *random, char *out)
{
    return snprintf(out, PROPERTIES_TEXT, "{\"page\": \"%s\", \"ms\": %u}",
                    page(random), number(random, 5000));
}

static int write_purchase(struct random *random, char *out)
{
    return snprintf(out, PROPERTIES_TEXT,
                    "{\"item\":\"sku-%06u\",\"price\":%u.%02u,\"paid\":%s,\"tags\":"
                    "[\"new\",\"\\u00e9t\\u00e9\"],\"to\":{\"country\":\"PT\",\"zip\":"
                    "null}}",
                    number(random, 1000000), number(random, 1000), number(random, 100),
                    number(random, 2) ? "true" : "false");
}

static int write_edit(struct random *random, char *out)
{
    return snprintf(out, PROPERTIES_TEXT,
                    "{\"delta\":%d,\"title\":\"He said \\\"%s\\\" \xF0\x9F\x98\x80\","
                    "\"minor\":%s,\"exact\":12345678901234567.%u}",
                    (int)number(random, 2001) - 1000, page(random),
                    number(random, 2) ? "true" : "false", number(random, 1000));
}

static int write_pretty(struct random *random, char *out)
{
    return snprintf(out, PROPERTIES_TEXT,
                    "{\r\n  \"page\": \"%s\",\n\t\"depth\": [1,\n  2, %u]\n}",
                    page(random), number(random, 100));
}

static int write_long(struct random *random, char *out)
{
    unsigned words = 20 + number(random, 180);
    int used = snprintf(out, PROPERTIES_TEXT, "{\"text\":\"");

    for (unsigned i = 0; i < words; i++)
        used += snprintf(out + used, (size_t)(PROPERTIES_TEXT - used), "word%u ",
                         number(random, 100000));
    return used + snprintf(out + used, (size_t)(PROPERTIES_TEXT - used), "\"}");
}

size_t properties_write(struct random *random, char out[PROPERTIES_TEXT])
{
    unsigned kind = number(random, 1000);
    int length;

    if (kind < 300)
        return 0;
    if (kind < 600)
        length = write_view(random, out);
    else if (kind < 800)
        length = write_purchase(random, out);
    else if (kind < 985)
        length = write_edit(random, out);
    else if (kind < 995)
        length = write_long(random, out);
    else
        length = write_pretty(random, out);
    return (size_t)length;
}
