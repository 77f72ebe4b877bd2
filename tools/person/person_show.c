#include "person_show.h"

#include "plural.h"

#include <inttypes.h>
#include <stdio.h>

static void print_text(const struct dbk_erasure *erasure,
                       const struct dbk_erasure_known *known)
{
    char id[DBK_UUID_TEXT + 1], at[DBK_TIMESTAMP_TEXT + 1];

    dbk_uuid_format(&erasure->person, id);
    dbk_timestamp_format(erasure->erased_at, at);
    printf("person    %s\n", id);
    printf("erased    %s, by record %" PRIu64 "\n", at, erasure->sequence);
    printf("keys      %s, %s\n", plural(erasure->keys, "keys").text,
           erasure->destroyed  ? "destroyed"
           : erasure->has_ring ? "not destroyed yet: daybook serve does it"
                               : "and no ring here to tell whether they are destroyed");
    printf("records   %s cannot be read any more\n",
           plural(erasure->records, "records").text);
    if (erasure->complete)
        printf("complete  by a rotation; the ring is in epoch %" PRIu64 "\n",
               erasure->ring.epoch);
    else
        puts("complete  no: until daybook keys rotate, older copies of the ring open "
             "it");
    puts(known->proof.length > 0 ? "proof     with --json"
                                 : "proof     none: the record is not signed");
}

enum tool_exit person_show(const struct tool *tool, const struct dbk_erasure *erasure,
                           const struct dbk_erasure_known *known)
{
    struct dbk_render out = {0};
    enum dbk_code code;
    struct dbk_error err;

    if (!tool_has(tool, "--json")) {
        print_text(erasure, known);
        return TOOL_DONE;
    }
    dbk_erasure_json(erasure, known, &out);
    dbk_render_text(&out, "\n");
    code = dbk_render_code(&out);
    if (code == DBK_OK)
        fwrite(out.text, 1, out.length, stdout);
    dbk_render_finish(&out);
    if (code == DBK_OK)
        return TOOL_DONE;
    dbk_fail(&err, code, "no memory for a receipt");
    return tool_fail(tool, &err);
}
