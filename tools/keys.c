/* daybook keys - the ring of keys that a sealed log is read by. */
#include "keys_parts.h"

#include <string.h>

/* clang-format off */
static const struct part {
    const char *name;
    size_t operands; /* behind the name */
    const char *missing;
    enum tool_exit (*run)(const struct tool *tool);
} parts[] = {
    {"init", 0, "", keys_init},
    {"status", 0, "", keys_status},
    {"backup", 1, "TO, the file that the ring is copied to", keys_backup},
    {"rotate", 0, "", keys_rotate},
};
/* clang-format on */

static enum tool_exit run(struct tool *tool)
{
    const char *name = tool->operands[0];
    size_t more = tool->operand_count - 1;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(parts[i].name, name) != 0)
            continue;
        if (more < parts[i].operands)
            return tool_misused(tool, "keys %s needs %s", name, parts[i].missing);
        if (more > parts[i].operands)
            return tool_misused(tool, "unexpected \"%.64s\"",
                                tool->operands[1 + parts[i].operands]);
        if (tool_has(tool, "--json") && parts[i].run != keys_status)
            return tool_misused(tool, "--json is for keys status");
        if (tool_has(tool, "--scrub") && parts[i].run != keys_rotate)
            return tool_misused(tool, "--scrub is for keys rotate");
        return parts[i].run(tool);
    }
    return tool_misused(tool, "\"%.64s\" is none of init, status, backup and rotate",
                        name);
}

const struct command command_keys = {
    .name = "keys",
    .purpose = "look after the keys that a sealed log is read by",
    .operands = "init | status | backup TO | rotate",
    .details =
        "What a sealed log says of a person is sealed with a key of that person, "
        "which\n"
        "lies in DATA_DIR/keys/ring and nowhere else: erasing the key erases the\n"
        "person, and who loses the ring can read no name again. The ring's keys are\n"
        "wrapped by a master key: the file of MASTER_KEY_FILE, or what systemd hands\n"
        "over as master_key, or DATA_DIR/keys/master.\n"
        "\n"
        "init    make a ring for a log that is yet to be made; daybook serve does\n"
        "        that by itself, unless SEALED is false\n"
        "status  what the ring has, and whether it is in a backup; reads all of it\n"
        "backup  copy the ring to the file TO, in the place of an older copy. It "
        "opens\n"
        "        by the master key only, which it does not have, and is put back as\n"
        "        DATA_DIR/keys/ring. It covers the next 65,536 persons, too\n"
        "rotate  another master key: all keys are wrapped anew, and the former master\n"
        "        key is destroyed. What was erased before is then in no copy of the\n"
        "        ring any more, wherever it lies, but where its master key lies with "
        "it.\n"
        "        With --scrub, then as daybook rebuild --scrub: nothing of who was "
        "erased\n"
        "        is left in PostgreSQL's files\n"
        "\n"
        "All of it works beside a running server. Keep many generations of the log, "
        "and\n"
        "one of the keys.\n"
        "\n"
        "Exit codes: 0 done; 1 keys are damaged or the ring cannot be used; 2 wrong\n"
        "use; 3 it could not be done.\n",
    .example = "  daybook keys status\n"
               "  daybook keys backup /mnt/safe/daybook.ring\n"
               "  daybook keys rotate && daybook keys backup /mnt/safe/daybook.ring\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_DATABASE | CONFIG_GROUP_CLUSTER,
    .operands_min = 1,
    .operands_max = 2,
    .options =
        {
            {"--json", NULL, "With status: print one JSON object", false},
            {"--scrub", NULL,
             "With rotate: leave nothing in PostgreSQL of who was erased", false},
        },
    .run = run,
};
