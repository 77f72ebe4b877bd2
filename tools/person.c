/* daybook person - what the law lets a person ask for. */
#include "person_parts.h"

#include <string.h>

/* clang-format off */
static const struct part {
    const char *name;
    size_t operands_min, operands_max; /* behind the name */
    const char *operands;
    bool json; /* prints it where it is asked to */
    enum tool_exit (*run)(const struct tool *tool);
} parts[] = {
    {"export", 1, 1, "the ID of a person", false, person_export},
    {"restrict", 1, 1, "the ID of a person", false, person_restrict},
    {"unrestrict", 1, 1, "the ID of a person", false, person_unrestrict},
    {"erase", 1, 1, "the ID of a person", true, person_erase},
    {"restricted", 0, 0, "nothing more", false, person_restricted},
    {"receipt", 1, 1, "the ID of a person", true, person_receipt},
    {"verify", 1, 1, "the FILE of a receipt", false, person_verify},
};
/* clang-format on */

enum tool_exit person_operand(const struct tool *tool, struct dbk_uuid *out)
{
    const char *text = tool->operands[1];

    if (dbk_uuid_parse(text, strlen(text), out))
        return TOOL_DONE;
    return tool_misused(tool, "\"%.64s\" is no person's id, which is a UUID", text);
}

static enum tool_exit run(struct tool *tool)
{
    const char *name = tool->operands[0];
    size_t more = tool->operand_count - 1;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(parts[i].name, name) != 0)
            continue;
        if (more < parts[i].operands_min)
            return tool_misused(tool, "person %s needs %s", name, parts[i].operands);
        if (more > parts[i].operands_max)
            return tool_misused(tool, "unexpected \"%.64s\"",
                                tool->operands[1 + parts[i].operands_max]);
        if (tool_has(tool, "--receipt") && parts[i].run != person_erase)
            return tool_misused(tool, "--receipt is for person erase");
        if (tool_has(tool, "--scrub") && parts[i].run != person_erase)
            return tool_misused(tool, "--scrub is for person erase");
        if ((tool_has(tool, "--vkey") || tool_has(tool, "--policy")) &&
            parts[i].run != person_verify)
            return tool_misused(tool, "--vkey and --policy are for person verify");
        if (tool_has(tool, "--json") && !parts[i].json)
            return tool_misused(tool, "person %s prints no JSON", name);
        if (tool_has(tool, "--output") && parts[i].run != person_export)
            return tool_misused(tool, "--output is for person export");
        return parts[i].run(tool);
    }
    return tool_misused(tool,
                        "person \"%.64s\": expected export, restrict, "
                        "unrestrict, restricted, erase, receipt or verify",
                        name);
}

const struct command command_person = {
    .name = "person",
    .purpose =
        "what a person may ask for: all that is held, to be restricted, to be erased",
    .operands = "export|restrict|unrestrict|erase|receipt ID, restricted, verify FILE",
    .details =
        "export      all that is held of a person, as JSON: the person as of now, and "
        "every\n"
        "            record about the person, as of one sequence\n"
        "restrict    what is held is kept, and shown to tokens with the scope admin "
        "only;\n"
        "            unrestrict shows it again\n"
        "restricted  who is, since when, by which record and, where it is known, by "
        "whom\n"
        "erase       destroy the keys that what the log says of a person is sealed "
        "with, so\n"
        "            that nobody can read it any more, and print the receipt; it can "
        "be\n"
        "            asked for again, and of who was deleted before. The log must be\n"
        "            sealed. With --scrub, then as daybook rebuild --scrub: nothing of "
        "who\n"
        "            was erased is left in PostgreSQL's files\n"
        "receipt     what is known of the erasure of a person: its record, the keys "
        "and\n"
        "            records that went with it, whether a rotation of the ring has\n"
        "            completed it, what nobody can know from here, and the proof that\n"
        "            its record is in the log, where that is signed\n"
        "verify      whether the receipt in a file holds: without a log, by its key\n"
        "\n"
        "It works beside a running server and, without --scrub, needs no PostgreSQL: "
        "its\n"
        "rows of who was erased are gone once a server has followed. docs/erasure.md "
        "tells\n"
        "more.\n"
        "\n"
        "Exit codes: 0 done; 1 not erased, for the log is not sealed or is a cluster's "
        "member,\n"
        "or a receipt that does not hold; 2 wrong use; 3 it could not be done.\n",
    .example =
        "  daybook person export 9c65af1a-c109-4c17-9bf1-5f4bcac95e3c --output k.json\n"
        "  daybook person erase 9c65af1a-c109-4c17-9bf1-5f4bcac95e3c --receipt r.json\n"
        "  daybook person receipt 9c65af1a-c109-4c17-9bf1-5f4bcac95e3c --json\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_DATABASE | CONFIG_GROUP_AUDIT,
    .operands_min = 1,
    .operands_max = 2,
    .options =
        {
            {"--receipt", "FILE", "With erase: put the receipt there, as JSON", false},
            {"--scrub", NULL,
             "With erase: leave nothing in PostgreSQL of who was erased", false},
            {"--json", NULL, "Print one JSON object (erase, receipt)", false},
            {"--vkey", "KEY", "With verify: key that signs, or a file of some", false},
            {"--policy", "FILE", "With verify: logs and witnesses that are believed",
             false},
            {"--output", "FILE", "Write the export to FILE, which is not there yet",
             false},
        },
    .run = run,
};
