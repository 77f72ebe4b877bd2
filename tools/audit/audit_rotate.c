/* daybook audit rotate-key: another key takes over from the one that signs. */
#include "audit_parts.h"

#include "escape.h"
#include "store/proof/notary.h"
#include "tool_data.h"

#include <stdio.h>

static void print(const struct tool *tool, const char *what, const struct dbk_vkey *key,
                  const char *next)
{
    char text[DBK_VKEY_TEXT + 1];

    dbk_vkey_format(key, text);
    if (!tool_has(tool, "--json")) {
        printf("%-14s%s\nnext          %s\n", what, text, next);
        return;
    }
    printf("{\"%s\":", what);
    escape_string(stdout, text);
    puts("}");
}

enum tool_exit audit_rotate(const struct tool *tool)
{
    const bool ends = tool_has(tool, "--end");
    struct dbk_error err;
    struct dbk_vkey key;
    char dir[4096];
    enum dbk_code code;

    if (!tool_audit_dir(tool->config, dir, sizeof dir, &err))
        return tool_fail(tool, &err);
    code = ends ? dbk_audit_rotate_end(dir, &key, &err)
                : dbk_audit_rotate(dir, &key, &err);
    if (code != DBK_OK)
        return tool_fail(tool, &err);
    print(tool, ends ? "ended" : "made", &key,
          ends ? "keep that line: what it signed is verified by it for ever"
               : "give that line to auditors and witnesses; both sign until "
                 "daybook audit rotate-key --end");
    return TOOL_DONE;
}
