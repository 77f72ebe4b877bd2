/* tokens_place.h - a directory with a token file, or none yet. */
#ifndef DBK_TESTS_HTTP_ACCESS_TOKENS_PLACE_H
#define DBK_TESTS_HTTP_ACCESS_TOKENS_PLACE_H

#include "check.h"
#include "http/tokens.h"

#include <sys/stat.h>
#include <unistd.h>

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TIME "2026-11-25T10:16:17.330037"
#define LINE "kate read,write " TIME " " HASH "\n"
#define HEADER "daybook tokens 1\n"
#define HEADER_2 "daybook tokens 2\n"
#define HEADER_3 "daybook tokens 3\n"
#define HEADER_4 "daybook tokens 4\n"

struct place {
    char dir[64], path[80], tmp[80];
    struct dbk_tokens tokens;
    struct dbk_error err;
};

static inline int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    strcpy(place->dir, "/tmp/daybook-tokens-XXXXXX");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof place->path, "%s/tokens", place->dir);
    snprintf(place->tmp, sizeof place->tmp, "%s/tokens.tmp", place->dir);
    *state = place;
    return 0;
}

static inline int remove_place(void **state)
{
    struct place *place = *state;

    dbk_tokens_finish(&place->tokens);
    unlink(place->path);
    unlink(place->tmp);
    assert_int_equal(rmdir(place->dir), 0); /* nothing else is left in it */
    free(place);
    return 0;
}

static inline void write_file(const struct place *place, const char *text,
                              size_t length)
{
    FILE *file = fopen(place->path, "w");

    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(place->path, 0600), 0);
}

static inline enum dbk_code read_again(struct place *place)
{
    dbk_tokens_finish(&place->tokens);
    return dbk_tokens_read(place->dir, &place->tokens, &place->err);
}

static inline enum dbk_code read_text(struct place *place, const char *text)
{
    write_file(place, text, strlen(text));
    return read_again(place);
}

#endif
