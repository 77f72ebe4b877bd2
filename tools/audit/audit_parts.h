/* audit_parts.h - the parts of `daybook audit`, each a word behind it. */
#ifndef DBK_TOOLS_AUDIT_PARTS_H
#define DBK_TOOLS_AUDIT_PARTS_H

#include "command.h"

/* Who signs: audit_name.c. */
enum tool_exit audit_init(const struct tool *tool);
enum tool_exit audit_vkey(const struct tool *tool);
enum tool_exit audit_trust_log(const struct tool *tool);

/* What was signed, and what that proves: audit_prove.c. */
enum tool_exit audit_checkpoint(const struct tool *tool);
enum tool_exit audit_prove(const struct tool *tool);
enum tool_exit audit_consistency(const struct tool *tool);

/* Whose it is besides: audit_cosign.c, audit_rotate.c. */
enum tool_exit audit_cosign(const struct tool *tool);
enum tool_exit audit_rotate(const struct tool *tool);

/* Whether it holds: audit_check.c. */
enum tool_exit audit_verify(const struct tool *tool);

#endif
