#include "dotenv.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A FIFO or device in its place must not block the start: hence O_NONBLOCK and the
 * check for a regular file. A missing file gives *text NULL. */
static enum dbk_code read_file(const char *path, char **text, size_t *length,
                               struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    struct stat about;
    ssize_t got = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *text = NULL;
    *length = 0;
    if (fd < 0 && errno == ENOENT)
        return DBK_OK;
    if (fd < 0)
        return dbk_fail(err, DBK_IO, "%s: %s", path, strerror(errno));
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        code = dbk_fail(err, DBK_IO, "%s: not a file", path);
        goto done;
    }
    *text = malloc(DOTENV_SIZE_MAX + 2);
    if (!*text) {
        code = dbk_fail(err, DBK_NO_MEMORY, "%s: out of memory", path);
        goto done;
    }
    while (*length <= DOTENV_SIZE_MAX &&
           (got = read(fd, *text + *length, DOTENV_SIZE_MAX + 1 - *length)) > 0)
        *length += (size_t)got;
    if (got < 0)
        code = dbk_fail(err, DBK_IO, "%s: %s", path, strerror(errno));
    else if (*length > DOTENV_SIZE_MAX)
        code = dbk_fail(err, DBK_TOO_LARGE, "%s: more than %zu KiB", path,
                        DOTENV_SIZE_MAX / 1024);
    (*text)[*length] = '\0';
done:
    close(fd);
    return code;
}

static char *skip_blank(char *at)
{
    while (*at == ' ' || *at == '\t')
        at++;
    return at;
}

static bool name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_';
}

static bool name_part(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Take the escapes of a double-quoted value out, in place; the place of its closing
 * quote, or NULL. */
static char *unescape(char *at)
{
    static const char letters[] = "ntr\\\"$", meaning[] = "\n\t\r\\\"$";
    char *to = at;

    for (; *at && *at != '"'; at++) {
        const char *found = *at == '\\' && at[1] ? strchr(letters, at[1]) : NULL;

        *to++ = found ? meaning[found - letters] : *at;
        at += found != NULL;
    }
    if (*at != '"')
        return NULL;
    *to = '\0'; /* at or before the quote */
    return at;
}

/* Find the value at `at`, and end it with a NUL. What is wrong with it, or NULL. */
static const char *parse_value(char *at, char **value)
{
    char *end;

    *value = at;
    if (*at == '"' || *at == '\'') {
        char quote = *at;

        *value = at + 1;
        end = quote == '"' ? unescape(at + 1) : strchr(at + 1, '\'');
        if (!end)
            return "the closing quote is missing";
        if (quote == '\'')
            *end = '\0';
        at = skip_blank(end + 1);
        return *at && *at != '#' ? "something follows the closing quote" : NULL;
    }
    for (end = at; *end; end++) {
        if (*end == '#' && (end == at || end[-1] == ' ' || end[-1] == '\t'))
            break;
    }
    while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = '\0';
    return NULL;
}

/* Parse one line. entry->name stays NULL where it has nothing. */
static const char *parse_line(char *at, struct dotenv_entry *entry)
{
    char *name, *end, *value;
    const char *wrong;

    at = skip_blank(at);
    if (!*at || *at == '#')
        return NULL;
    if (!strncmp(at, "export", 6) && (at[6] == ' ' || at[6] == '\t'))
        at = skip_blank(at + 7);
    name = at;
    if (!name_start(*at))
        return "expected NAME=VALUE";
    while (name_part(*at))
        at++;
    end = at;
    at = skip_blank(at);
    if (*at != '=')
        return "expected NAME=VALUE";
    *end = '\0';
    wrong = parse_value(skip_blank(at + 1), &value);
    if (wrong)
        return wrong;
    entry->name = name;
    entry->value = value;
    return NULL;
}

static size_t count_lines(const char *text)
{
    size_t lines = 1;

    while ((text = strchr(text, '\n'))) {
        text++;
        lines++;
    }
    return lines;
}

/* Cut the line that begins at `at` and return where the next one does, or NULL. */
static char *cut_line(char *at)
{
    char *end = strchr(at, '\n');

    if (end)
        *end = '\0';
    else
        end = at + strlen(at);
    if (end > at && end[-1] == '\r')
        end[-1] = '\0';
    return end;
}

static enum dbk_code parse(const char *path, char *text, size_t length,
                           struct dotenv *out, struct dbk_error *err)
{
    char *end = text + length;
    size_t lines = count_lines(text);
    unsigned line = 1;

    if (memchr(text, '\0', length))
        return dbk_fail(err, DBK_INVALID, "%s: holds a NUL byte, so it is not text",
                        path);
    out->entries = calloc(lines, sizeof *out->entries);
    if (!out->entries)
        return dbk_fail(err, DBK_NO_MEMORY, "%s: out of memory", path);
    if (!strncmp(text, "\xef\xbb\xbf", 3)) /* a byte order mark */
        text += 3;
    for (; text <= end; line++) {
        struct dotenv_entry entry = {.line = line};
        char *next = cut_line(text) + 1;
        const char *wrong = parse_line(text, &entry);

        assert(line <= lines);
        if (wrong)
            return dbk_fail(err, DBK_INVALID, "%s line %u: %s", path, line, wrong);
        if (entry.name)
            out->entries[out->count++] = entry;
        text = next;
    }
    return DBK_OK;
}

enum dbk_code dotenv_read(const char *path, struct dotenv *out, struct dbk_error *err)
{
    enum dbk_code code;
    size_t length;

    *out = (struct dotenv){0};
    code = read_file(path, &out->text, &length, err);
    if (code == DBK_OK && out->text) {
        size_t mark = strncmp(out->text, "\xEF\xBB\xBF", 3) ? 0 : 3; /* an editor's */
        code = parse(path, out->text + mark, length - mark, out, err);
    }
    if (code != DBK_OK)
        dotenv_finish(out);
    return code;
}

void dotenv_finish(struct dotenv *dotenv)
{
    free(dotenv->entries);
    free(dotenv->text);
    *dotenv = (struct dotenv){0};
}

const struct dotenv_entry *dotenv_find(const struct dotenv *dotenv, const char *name)
{
    for (size_t i = dotenv->count; i > 0; i--) {
        if (!strcmp(dotenv->entries[i - 1].name, name))
            return &dotenv->entries[i - 1];
    }
    return NULL;
}
