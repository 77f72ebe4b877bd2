#include "arguments.h"

#include "suggest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One flag as it stands on the command line. */
struct flag {
    const char *text;  /* "--port=80" */
    size_t length;     /* of "--port" */
    const char *value; /* behind the =; NULL: none */
};

/* How far the command line was read. */
struct reading {
    const struct command *command;
    char **next, **end; /* arguments to come */
    struct arguments *out;
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
    suggest(&near, flag->text, flag->length, "--quiet");
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
static enum dbk_code take_value(struct reading *reading, const struct flag *flag,
                                const char **value, struct dbk_error *err)
{
    *value = flag->value;
    if (*value)
        return DBK_OK;
    if (reading->next == reading->end || !strncmp(*reading->next, "--", 2))
        return dbk_fail(err, DBK_INVALID, "%s needs a value", flag->text);
    *value = *reading->next++;
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

static enum dbk_code read_option(struct reading *reading, size_t index,
                                 const struct flag *flag, struct dbk_error *err)
{
    const struct tool_option *option = &reading->command->options[index];
    const char **value = &reading->out->values[index], *before = *value;

    if (!option->argument && flag->value)
        return dbk_fail(err, DBK_INVALID, "%s takes no value", option->flag);
    if (!option->argument)
        *value = "";
    else if (take_value(reading, flag, value, err) != DBK_OK)
        return err->code;
    return before && option->many ? join(reading->out, index, before, err) : DBK_OK;
}

static enum dbk_code read_flag(struct reading *reading, const char *text,
                               struct dbk_error *err)
{
    struct flag flag = split_flag(text);
    size_t option = find_option(reading->command, &flag);
    enum setting setting = config_find_flag(flag.text, flag.length);
    struct arguments *out = reading->out;

    if (!strcmp(text, "--help") || !strcmp(text, "-h")) {
        out->help = true;
        return DBK_OK;
    }
    if (!strcmp(text, "--quiet")) {
        out->quiet = true;
        return DBK_OK;
    }
    if (option < TOOL_OPTIONS_MAX)
        return read_option(reading, option, &flag, err);
    if (setting == SETTING_COUNT || !reads(reading->command, setting))
        return refuse_flag(reading->command, &flag, err);
    if (config_table[setting].kind != CONFIG_BOOLEAN)
        return take_value(reading, &flag, &out->settings[setting], err);
    out->settings[setting] = flag.value ? flag.value : "true";
    return DBK_OK;
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
    struct reading reading = {command, argv, argv + argc, out};
    bool flags = true;

    *out = (struct arguments){0};
    out->operands = calloc((size_t)argc + 1, sizeof *out->operands);
    if (!out->operands)
        return dbk_fail(err, DBK_NO_MEMORY, "read the command line: out of memory");
    while (reading.next < reading.end && !out->help) {
        const char *text = *reading.next++;

        if (flags && !strcmp(text, "--"))
            flags = false;
        else if (!flags || text[0] != '-' || !text[1])
            out->operands[out->operand_count++] = text;
        else if (read_flag(&reading, text, err) != DBK_OK)
            goto fail;
    }
    assert(out->operand_count <= (size_t)argc); /* a NULL is left behind them */
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
