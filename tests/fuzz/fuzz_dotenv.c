/* fuzz_dotenv.c - whatever the bytes of a .env file are: what is taken from it is what a
 * file that says the same in double quotes gives, and what is wrong is told by line. */
#include "dotenv.h"
#include "fuzz.h"

#include <ctype.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* A file in memory, which is read by its path as any other. */
static struct {
    int fd; /* 0: not made yet */
    char path[64];
} file;

static void fill_file(const char *bytes, size_t size)
{
    if (file.fd == 0) {
        file.fd = memfd_create("dotenv", MFD_CLOEXEC);
        require(file.fd > 0);
        snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.fd);
    }
    require(ftruncate(file.fd, 0) == 0);
    require(pwrite(file.fd, bytes, size, 0) == (ssize_t)size);
}

static unsigned count_lines(const uint8_t *data, size_t size)
{
    unsigned lines = 1;

    for (size_t i = 0; i < size; i++)
        lines += data[i] == '\n';
    return lines;
}

static bool is_name(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    while (isalnum((unsigned char)*name) || *name == '_')
        name++;
    return *name == '\0';
}

static const char *last_value(const struct dotenv *dotenv, const char *name)
{
    const char *value = NULL;

    for (size_t i = 0; i < dotenv->count; i++) {
        if (strcmp(dotenv->entries[i].name, name) == 0)
            value = dotenv->entries[i].value;
    }
    return value;
}

static void require_entries(const struct dotenv *dotenv, unsigned lines)
{
    unsigned line = 0;

    for (size_t i = 0; i < dotenv->count; i++) {
        const struct dotenv_entry *entry = &dotenv->entries[i];
        require(is_name(entry->name));
        require(entry->line > line && entry->line <= lines);
        require(strchr(entry->value, '\0') && dotenv_find(dotenv, entry->name));
        require(dotenv_find(dotenv, entry->name)->value ==
                last_value(dotenv, entry->name));
        line = entry->line;
    }
}

/* The value as it stands in double quotes; returns its length. */
static size_t quote(const char *value, char *out)
{
    static const char special[] = "\n\t\r\\\"$", letters[] = "ntr\\\"$";
    char *at = out;

    *at++ = '"';
    for (; *value; value++) {
        const char *found = strchr(special, *value);
        if (found) {
            *at++ = '\\';
            *at++ = letters[found - special];
        } else {
            *at++ = *value;
        }
    }
    *at++ = '"';
    *at++ = '\n';
    return (size_t)(at - out);
}

static size_t write_again(const struct dotenv *dotenv, char *out)
{
    size_t used = 0;

    for (size_t i = 0; i < dotenv->count; i++) {
        used += (size_t)sprintf(out + used, "%s=", dotenv->entries[i].name);
        used += quote(dotenv->entries[i].value, out + used);
    }
    return used;
}

static void require_same_again(const struct dotenv *dotenv, size_t size)
{
    char *text = malloc(2 * size + 8 * dotenv->count + 1);
    struct dotenv again;

    require(text != NULL);
    size = write_again(dotenv, text);
    if (size <= DOTENV_SIZE_MAX) {
        fill_file(text, size);
        require(dotenv_read(file.path, &again, NULL) == DBK_OK);
        require(again.count == dotenv->count);
        for (size_t i = 0; i < again.count; i++) {
            require(strcmp(again.entries[i].name, dotenv->entries[i].name) == 0);
            require(strcmp(again.entries[i].value, dotenv->entries[i].value) == 0);
        }
        dotenv_finish(&again);
    }
    free(text);
}

/* "PATH line N: ", or what is wrong with the file as a whole. */
static void require_place(const struct dbk_error *err, unsigned lines)
{
    size_t path = strlen(file.path);
    unsigned line;

    require_reason(err);
    require(strncmp(err->text, file.path, path) == 0);
    if (sscanf(err->text + path, " line %u: ", &line) == 1)
        require(line >= 1 && line <= lines);
    else
        require(err->text[path] == ':');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dotenv dotenv;
    struct dbk_error err = {0};
    unsigned lines = count_lines(data, size);

    fill_file((const char *)data, size);
    if (dotenv_read(file.path, &dotenv, &err) == DBK_OK) {
        require_entries(&dotenv, lines);
        require_same_again(&dotenv, size);
    } else {
        require(dotenv.count == 0 && dotenv.entries == NULL);
        require_place(&err, lines);
    }
    dotenv_finish(&dotenv);
    return 0;
}
