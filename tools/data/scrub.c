#include "scrub.h"

#include "database_file.h"
#include "escape.h"
#include "leftovers.h"
#include "plural.h"
#include "replaced.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_cluster(const char *path)
{
    const char *name = strrchr(path, '/');

    return name && !strncmp(name, "/postgres.", strlen("/postgres."));
}

/* They were set aside with all that was in their tables. */
static enum dbk_code remove_clusters(const struct session *session, unsigned *removed,
                                     struct dbk_error *err)
{
    const struct config *config = session->tool->config;
    struct leftovers *leftovers = malloc(sizeof *leftovers);
    enum dbk_code code = DBK_OK;

    if (!leftovers)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    leftovers_find(config, leftovers);
    for (size_t i = 0; code == DBK_OK && i < leftovers->count; i++) {
        const struct leftover *one = &leftovers->list[i];

        if (one->in_use || !is_cluster(one->path))
            continue;
        code = leftovers_remove(config, one, err);
        *removed += code == DBK_OK;
    }
    free(leftovers);
    return code;
}

enum dbk_code scrub(struct session *session, struct scrubbed *out,
                    struct dbk_error *err)
{
    const struct dbk_scrub_options options = {
        .private_cluster = session->database.cluster != NULL, .watch = session->watch};
    enum dbk_code code;

    *out = (struct scrubbed){.by_hand = !options.private_cluster};
    do {
        code =
            dbk_scrub(session->log, &session->database.at, &options, &out->tables, err);
    } while (code != DBK_OK && session_again(session, err));
    if (code == DBK_OK && options.private_cluster)
        code = remove_clusters(session, &out->removed, err);
    return code;
}

enum tool_exit scrub_check(const struct tool *tool)
{
    return database_file_check(tool);
}

enum tool_exit scrub_behind(const struct tool *tool, const char *done,
                            struct scrubbed *out)
{
    struct session session;
    struct dbk_error err;
    enum dbk_code code = session_open(&session, tool, &err);

    if (code == DBK_OK)
        code = replaced_check(&session, false, &err);
    if (code == DBK_OK)
        code = scrub(&session, out, &err);
    session_close(&session);
    if (code == DBK_OK)
        return TOOL_DONE;
    tool_fail(tool, &err);
    fprintf(
        stderr,
        "daybook %s: %s; but PostgreSQL's files may have what was erased still: run "
        "daybook rebuild --scrub\n",
        tool->command->name, done);
    return TOOL_FAILED;
}

void scrub_print(const struct scrubbed *done)
{
    printf("made anew     the tables, up to record %" PRIu64 "\n",
           done->tables.rebuilt.sequence);
    if (done->tables.dropped > 0)
        printf("dropped       %s: kept tables, replays\n",
               plural(done->tables.dropped, "schemas").text);
    if (done->removed > 0)
        printf("removed       %s that had been set aside\n",
               plural(done->removed, "private clusters").text);
    if (!done->by_hand) {
        printf("replaced      statistics, and %s of the write-ahead log\n",
               plural(done->tables.segments, "files").text);
        return;
    }
    puts(
        "left to you   statistics and the write-ahead log of your PostgreSQL have what "
        "was\n              erased still. Its administrator runs:\n");
    fputs(dbk_scrub_by_hand(), stdout);
}

void scrub_print_json(const struct scrubbed *done)
{
    printf("{\"sequence\":%" PRIu64 ",\"dropped\":%u,\"removed\":%u,\"segments\":%u"
           ",\"by_hand\":",
           done->tables.rebuilt.sequence, done->tables.dropped, done->removed,
           done->tables.segments);
    if (done->by_hand)
        escape_string(stdout, dbk_scrub_by_hand());
    else
        fputs("null", stdout);
    putchar('}');
}
