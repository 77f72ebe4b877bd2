#include "person_show.h"

#include "plural.h"
#include "scrub.h"
#include "store/durable.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

static enum dbk_code render(const struct dbk_erasure *erasure,
                            const struct dbk_erasure_known *known,
                            struct dbk_render *out, struct dbk_error *err)
{
    dbk_erasure_json(erasure, known, out);
    dbk_render_text(out, "\n");
    return dbk_render_code(out) == DBK_OK
               ? DBK_OK
               : dbk_fail(err, DBK_NO_MEMORY, "no memory for a receipt");
}

enum tool_exit person_keep(const struct tool *tool, const struct dbk_erasure *erasure,
                           const struct dbk_erasure_known *known)
{
    const char *path = tool_value(tool, "--receipt");
    struct dbk_render out = {0};
    enum dbk_code code = DBK_OK;
    struct dbk_error err;

    if (path)
        code = render(erasure, known, &out, &err);
    if (path && code == DBK_OK)
        code = dbk_write_file(path, 0666, out.text, out.length, &err);
    dbk_render_finish(&out);
    return code == DBK_OK ? TOOL_DONE : tool_fail(tool, &err);
}

/* All but the brace that ends it. */
static enum tool_exit print_json(const struct tool *tool,
                                 const struct dbk_erasure *erasure,
                                 const struct dbk_erasure_known *known)
{
    static const char end[] = "}\n";
    struct dbk_render out = {0};
    struct dbk_error err;
    enum dbk_code code = render(erasure, known, &out, &err);

    if (code == DBK_OK)
        fwrite(out.text, 1, out.length - strlen(end), stdout);
    dbk_render_finish(&out);
    return code == DBK_OK ? TOOL_DONE : tool_fail(tool, &err);
}

enum tool_exit person_show(const struct tool *tool, const struct dbk_erasure *erasure,
                           const struct dbk_erasure_known *known)
{
    enum tool_exit exit = TOOL_DONE;

    if (!tool_has(tool, "--json"))
        print_text(erasure, known);
    else if ((exit = print_json(tool, erasure, known)) == TOOL_DONE)
        puts("}");
    return exit;
}

enum tool_exit person_show_scrub(const struct tool *tool,
                                 const struct dbk_erasure *erasure,
                                 const struct dbk_erasure_known *known)
{
    bool json = tool_has(tool, "--json");
    enum tool_exit exit = TOOL_DONE;
    struct scrubbed scrubbed;

    if (!json)
        print_text(erasure, known);
    else
        exit = print_json(tool, erasure, known);
    if (exit != TOOL_DONE)
        return exit;
    fflush(stdout); /* whatever comes now: it is erased */
    exit = scrub_behind(tool, "the person is erased", &scrubbed);
    if (json) {
        fputs(",\"scrub\":", stdout);
        if (exit == TOOL_DONE)
            scrub_print_json(&scrubbed);
        else
            fputs("null", stdout);
        puts("}");
    } else if (exit == TOOL_DONE) {
        scrub_print(&scrubbed);
    }
    return exit;
}
