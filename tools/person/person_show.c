#include "person_show.h"

#include "plural.h"
#include "scrub.h"
#include "store/durable.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

enum dbk_code person_file_open(const struct tool *tool, struct person_file *file,
                               struct dbk_error *err)
{
    file->path = tool_value(tool, "--receipt");
    file->fd = -1;
    if (!file->path)
        return DBK_OK;
    file->fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file->fd >= 0)
        return DBK_OK;
    if (errno == EEXIST)
        return dbk_fail(err, DBK_EXISTS, "%s is there already: name another file",
                        file->path);
    return dbk_system_fail(err, "create", file->path);
}

void person_file_drop(struct person_file *file)
{
    if (file->fd < 0)
        return;
    close(file->fd);
    unlink(file->path);
    file->fd = -1;
}

static enum dbk_code write_to(const struct person_file *file,
                              const struct dbk_erasure *erasure,
                              const struct dbk_erasure_known *known,
                              struct dbk_error *err)
{
    struct dbk_render out = {0};
    enum dbk_code code = render(erasure, known, &out, err);

    if (code == DBK_OK)
        code = dbk_write_all(file->fd, out.text, out.length, file->path, err);
    if (code == DBK_OK)
        code = dbk_sync_file(file->fd, file->path, err);
    if (code == DBK_OK)
        code = dbk_sync_parent(file->path, err);
    dbk_render_finish(&out);
    return code;
}

enum tool_exit person_file_put(const struct tool *tool, struct person_file *file,
                               const struct dbk_erasure *erasure,
                               const struct dbk_erasure_known *known)
{
    struct dbk_error err;

    if (file->fd < 0)
        return TOOL_DONE;
    if (write_to(file, erasure, known, &err) != DBK_OK) {
        person_file_drop(file); /* half of one is none */
        dbk_wrap(&err,
                 "the person is erased, and the receipt is not in its file (daybook "
                 "person receipt --json prints it)");
        return tool_fail(tool, &err);
    }
    close(file->fd);
    file->fd = -1;
    return TOOL_DONE;
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
