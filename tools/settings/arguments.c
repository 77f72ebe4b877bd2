#include "arguments.h"

#include "suggest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One flag as it stands on the command line. */
struct flag {
    const char *text;  /* "--port=80" */
    size_t length;     /* of "--port" */
    const char *value; /* behind the =; NULL: none */
};

static struct flag split_flag(const char *text)
{
    struct flag flag = {.text = text, .length = strcspn(text, "=")};

    if (text[flag.length])
        flag.value = text + flag.length + 1;
    return flag;
}

/* The place of the command's own option, or TOOL_OPTIONS_MAX. */
static size_t find_option(const struct command *command, const struct flag *flag)
{
    size_t i;

    for (i = 0; i < TOOL_OPTIONS_MAX; i++) {
        const char *known = command->options[i].flag;

        if (known && strlen(known) == flag->length &&
            !memcmp(known, flag->text, flag->length))
            break;
    }
    return i;
}

static bool reads(const struct command *command, enum setting setting)
{
    return (command->settings & config_table[setting].group) != 0;
}

static enum dbk_code refuse_flag(const struct command *command, const struct flag *flag,
                                 struct dbk_error *err)
{
    struct suggestion near = {0};

    if (config_find_flag(flag->text, flag->length) != SETTING_COUNT)
        return dbk_fail(err, DBK_INVALID, "%.*s is not a flag of this subcommand",
                        (int)flag->length, flag->text);
    suggest(&near, flag->text, flag->length, "--help");
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (config_table[i].flag && reads(command, (enum setting)i))
            suggest(&near, flag->text, flag->length, config_table[i].flag);
    }
    for (size_t i = 0; i < TOOL_OPTIONS_MAX; i++) {
        if (command->options[i].flag)
            suggest(&near, flag->text, flag->length, command->options[i].flag);
    }
    if (near.best)
        return dbk_fail(err, DBK_INVALID, "unknown flag %.*s; did you mean %s?",
                        (int)flag->length, flag->text, near.best);
    return dbk_fail(err, DBK_INVALID, "unknown flag %.*s", (int)flag->length,
                    flag->text);
}

/* Give the flag's value, taken from the next argument where it has none of its own. A
 * value that looks like a flag was most likely forgotten. */
static enum dbk_code take_value(const struct flag *flag, char ***next, char **end,
                                const char **value, struct dbk_error *err)
{
    *value = flag->value;
    if (*value)
        return DBK_OK;
    if (*next == end || !strncmp(**next, "--", 2))
        return dbk_fail(err, DBK_INVALID, "%s needs a value", flag->text);
    *value = *(*next)++;
    return DBK_OK;
}

static enum dbk_code take_option(const struct tool_option *option,
                                 const struct flag *flag, char ***next, char **end,
                                 const char **value, struct dbk_error *err)
{
    if (option->argument)
        return take_value(flag, next, end, value, err);
    if (flag->value)
        return dbk_fail(err, DBK_INVALID, "%s takes no value", option->flag);
    *value = "";
    return DBK_OK;
}

static enum dbk_code join(struct arguments *out, size_t option, const char *before,
                          struct dbk_error *err)
{
    char *joined;

    if (asprintf(&joined, "%s,%s", before, out->values[option]) < 0)
        return dbk_fail(err, DBK_NO_MEMORY, "read the command line: out of memory");
    free(out->joined[option]);
    out->values[option] = out->joined[option] = joined;
    return DBK_OK;
}

static enum dbk_code read_option(const struct command *command, size_t option,
                                 const struct flag *flag, char ***next, char **end,
                                 struct arguments *out, struct dbk_error *err)
{
    const char *before = out->values[option];

    if (take_option(&command->options[option], flag, next, end, &out->values[option],
                    err) != DBK_OK)
        return err->code;
    if (before && command->options[option].many)
        return join(out, option, before, err);
    return DBK_OK;
}

static enum dbk_code read_flag(const struct command *command, const char *text,
                               char ***next, char **end, struct arguments *out,
                               struct dbk_error *err)
{
    struct flag flag = split_flag(text);
    size_t option = find_option(command, &flag);
    enum setting setting = config_find_flag(flag.text, flag.length);

    if (!strcmp(text, "--help") || !strcmp(text, "-h")) {
        out->help = true;
        return DBK_OK;
    }
    if (option < TOOL_OPTIONS_MAX)
        return read_option(command, option, &flag, next, end, out, err);
    if (setting == SETTING_COUNT || !reads(command, setting))
        return refuse_flag(command, &flag, err);
    if (config_table[setting].kind == CONFIG_BOOLEAN) {
        out->settings[setting] = flag.value ? flag.value : "true";
        return DBK_OK;
    }
    return take_value(&flag, next, end, &out->settings[setting], err);
}

static enum dbk_code check_operands(const struct command *command,
                                    const struct arguments *arguments,
                                    struct dbk_error *err)
{
    size_t count = arguments->operand_count;

    if (arguments->help)
        return DBK_OK;
    if (count < command->operands_min)
        return dbk_fail(err, DBK_INVALID, "expected %s", command->operands);
    if (count > command->operands_max)
        return dbk_fail(err, DBK_INVALID, "unexpected \"%.64s\"",
                        arguments->operands[command->operands_max]);
    return DBK_OK;
}

enum dbk_code arguments_read(const struct command *command, int argc, char **argv,
                             struct arguments *out, struct dbk_error *err)
{
    char **next = argv, **end = argv + argc;
    bool flags = true;

    *out = (struct arguments){0};
    out->operands = calloc((size_t)argc + 1, sizeof *out->operands);
    if (!out->operands)
        return dbk_fail(err, DBK_NO_MEMORY, "read the command line: out of memory");
    while (next < end && !out->help) {
        const char *text = *next++;

        if (flags && !strcmp(text, "--"))
            flags = false;
        else if (!flags || text[0] != '-' || !text[1])
            out->operands[out->operand_count++] = text;
        else if (read_flag(command, text, &next, end, out, err) != DBK_OK)
            goto fail;
    }
    if (check_operands(command, out, err) == DBK_OK)
        return DBK_OK;
fail:
    arguments_finish(out);
    return err ? err->code : DBK_INVALID;
}

void arguments_finish(struct arguments *arguments)
{
    for (size_t i = 0; i < TOOL_OPTIONS_MAX; i++)
        free(arguments->joined[i]);
    free(arguments->operands);
    *arguments = (struct arguments){0};
}
