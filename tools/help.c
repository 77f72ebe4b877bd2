#include "help.h"

void help_program(FILE *out, const struct command *const *commands)
{
    fputs("daybook - an append-only log of persons and events, with a REST API\n"
          "and PostgreSQL tables posted from it.\n"
          "\n"
          "Usage: daybook COMMAND [--flag VALUE ...]\n"
          "\n",
          out);
    for (; *commands; commands++)
        fprintf(out, "  %-8s  %s\n", (*commands)->name, (*commands)->purpose);
    fputs("\n"
          "daybook help COMMAND   tells the flags and settings of one\n"
          "daybook --version      tells the version\n"
          "\n"
          "Settings come from flags, else the environment, else the file .env in the\n"
          "working directory, else their defaults.\n"
          "\n"
          "Exit status: 0 done; 1 found a difference, bad lines, or damage;\n"
          "2 wrong use; 3 could not run.\n",
          out);
}

static void print_options(FILE *out, const struct command *command)
{
    fputs("\nOptions:\n", out);
    for (size_t i = 0; i < TOOL_OPTIONS_MAX; i++) {
        const struct tool_option *option = &command->options[i];
        char flag[64];

        if (!option->flag)
            continue;
        snprintf(flag, sizeof flag, "%s%s%s", option->flag, option->argument ? " " : "",
                 option->argument ? option->argument : "");
        fprintf(out, "  %-20s  %s\n", flag, option->help);
    }
    fprintf(out, "  %-20s  %s\n", "--quiet", "Show no progress, log warnings only");
    fprintf(out, "  %-20s  %s\n", "--help", "This text");
}

static void print_setting(FILE *out, const struct config_entry *entry)
{
    fprintf(out, "  %-20s  %-18s  %s", entry->flag ? entry->flag : "(no flag)",
            entry->name, entry->help);
    if (entry->choices)
        fprintf(out, " (%s)", entry->choices);
    if (*entry->fallback)
        fprintf(out, " [%s]", entry->fallback);
    fputc('\n', out);
}

static void print_settings(FILE *out, const struct command *command)
{
    fputs("\nSettings, as a flag or by name in the environment or .env [default]:\n",
          out);
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (config_table[i].group & command->settings)
            print_setting(out, &config_table[i]);
    }
}

void help_command(FILE *out, const struct command *command)
{
    fprintf(out, "Usage: daybook %s%s%s [--flag VALUE ...]\n\n", command->name,
            *command->operands ? " " : "", command->operands);
    fputs(command->details, out);
    print_options(out, command);
    print_settings(out, command);
    fprintf(out, "\nExample:\n%s", command->example);
}
