/* person_parts.h - the parts of `daybook person`, each a word behind it. */
#ifndef DBK_TOOLS_PERSON_PARTS_H
#define DBK_TOOLS_PERSON_PARTS_H

#include "command.h"
#include "store/uuid.h"

/* Destroy the keys of a person: person_erase.c. */
enum tool_exit person_erase(const struct tool *tool);

/* What is known of who was erased: person_receipt.c. */
enum tool_exit person_receipt(const struct tool *tool);

/* Everything that is held of a person, to --output or standard output: person_export.c. */
enum tool_exit person_export(const struct tool *tool);

/* Keep what is held of a person, and show it to admins only; and show it again:
 * person_restrict.c. */
enum tool_exit person_restrict(const struct tool *tool);
enum tool_exit person_unrestrict(const struct tool *tool);

/* Whether a receipt holds: person_verify.c. */
enum tool_exit person_verify(const struct tool *tool);

/* Who is restricted: person_restricted.c. */
enum tool_exit person_restricted(const struct tool *tool);

/* The id that is the part's operand. TOOL_MISUSED: it is none, and that is told. */
enum tool_exit person_operand(const struct tool *tool, struct dbk_uuid *out);

#endif
