/* daybook audit - proves what the log is, to who trusts nobody. */
#include "audit_parts.h"

#include <string.h>

/* clang-format off */
static const struct part {
    const char *name;
    size_t operands_min, operands_max; /* behind the name */
    const char *operands;
    bool json; /* prints it where it is asked to */
    enum tool_exit (*run)(const struct tool *tool);
} parts[] = {
    {"init", 0, 0, "", false, audit_init},
    {"vkey", 0, 0, "", false, audit_vkey},
    {"checkpoint", 0, 0, "", true, audit_checkpoint},
    {"prove", 1, 1, "the SEQUENCE of a record", false, audit_prove},
    {"verify", 0, 1, "", true, audit_verify},
    {"consistency", 2, 2, "two checkpoints, OLD and NEW", true, audit_consistency},
    {"cosign", 0, 0, "", true, audit_cosign},
    {"rotate-key", 0, 0, "", true, audit_rotate},
    {"trust-log", 0, 0, "", false, audit_trust_log},
};
/* clang-format on */

static enum tool_exit run(struct tool *tool)
{
    const char *name = tool->operands[0];
    size_t more = tool->operand_count - 1;

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(parts[i].name, name) != 0)
            continue;
        if (more < parts[i].operands_min)
            return tool_misused(tool, "audit %s needs %s", name, parts[i].operands);
        if (more > parts[i].operands_max)
            return tool_misused(tool, "unexpected \"%.64s\"",
                                tool->operands[1 + parts[i].operands_max]);
        if (tool_has(tool, "--json") && !parts[i].json)
            return tool_misused(tool, "audit %s prints no JSON", name);
        return parts[i].run(tool);
    }
    return tool_misused(tool,
                        "audit \"%.64s\": expected init, vkey, checkpoint, prove, "
                        "verify, consistency, cosign, rotate-key or trust-log",
                        name);
}

const struct command command_audit = {
    .name = "audit",
    .purpose = "prove what the log is, to who trusts nobody",
    .operands = "init | vkey | checkpoint | prove N | verify | consistency | cosign | "
                "rotate-key | trust-log",
    .details =
        "The server signs checkpoints: how many records the log has, and a hash of "
        "all\n"
        "of them. Who has kept one can tell for ever whether what was before it has\n"
        "changed (docs/audit.md).\n"
        "\n"
        "init names the log and makes what it signs with; with --origin another name\n"
        "than before begins anew. The server must not run. vkey prints the key that\n"
        "auditors need. checkpoint prints the newest checkpoint, and signs the log as\n"
        "it is where no server runs. prove prints a proof that a record is in it, "
        "which\n"
        "anybody can check without the log.\n"
        "\n"
        "verify [LOG|BACKUP|EXPORT] hashes all of it (else of this log), and holds it\n"
        "against checkpoints: those given, else the one that the backup or export\n"
        "carries, else the newest of this machine. It says which fail, and between\n"
        "which records; with --against an older copy, or by what the server kept, at\n"
        "which. consistency OLD NEW proves that one checkpoint extends another. Where\n"
        "DATA_DIR/audit/last is lost, trust-log lets the server sign all the same.\n"
        "\n"
        "cosign has the witnesses of AUDIT_POLICY sign the newest checkpoint, too, "
        "and\n"
        "with --follow each that comes, beside the server; what they have seen before\n"
        "and is not in this log is an alarm. rotate-key makes another key, which "
        "signs\n"
        "beside the present one until rotate-key --end.\n"
        "\n"
        "Exit codes: 0 all is right, 1 something is not, 2 wrong use, 3 not checked.\n",
    .example = "  daybook audit init --origin log.example.org/daybook\n"
               "  daybook audit checkpoint > 2026-11-29.checkpoint\n"
               "  daybook audit prove 1234 -o 1234.tlog-proof\n"
               "  daybook audit verify --vkey KEY --checkpoint 2026-11-29.checkpoint\n",
    .settings = CONFIG_GROUP_DATA | CONFIG_GROUP_AUDIT,
    .operands_min = 1,
    .operands_max = 3,
    .options =
        {
            {"--origin", "NAME", "Name of the log, as log.example.org/daybook", false},
            {"--checkpoint", "FILE", "Hold it against this one; again for more", true},
            {"--vkey", "KEY", "Key that signs, or a file of some; else keys.pub",
             false},
            {"--policy", "FILE", "Logs and witnesses that are believed", false},
            {"--against", "COPY", "An older log, backup or export, record by record",
             false},
            {"-o", "FILE", "Where to put a proof; else it is printed", false},
            {"--follow", NULL, "With cosign: go on with what comes, until Ctrl-C",
             false},
            {"--end", NULL, "With rotate-key: the former key signs no more", false},
            {"--json", NULL, "Print one JSON object; not of a key or a proof", false},
        },
    .run = run,
};
