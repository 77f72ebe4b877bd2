#include "differences.h"

#include "escape.h"
#include "plural.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

static void tell_line(FILE *out, const struct dbk_difference *one)
{
    if (one->how) {
        fprintf(out, "%-8s %s: ", one->kind, one->table);
        escape_plain(out, dbk_slice(one->id));
        fprintf(out, " %s\n", one->how);
        return;
    }
    fprintf(out, "%-8s %-6s ", one->kind, one->table);
    if (*one->id)
        fprintf(out, "%s at record %" PRIu64 "%s", one->id, one->sequence,
                *one->columns ? ": " : "");
    else
        fputs("not as the migrations make them: ", out);
    escape_plain(out, dbk_slice(one->columns));
    fputc('\n', out);
}

static void string_or_null(FILE *out, const char *text)
{
    if (*text)
        escape_string(out, text);
    else
        fputs("null", out);
}

static void tell_json(struct differences *differences, const struct dbk_difference *one)
{
    FILE *out = differences->json;

    fprintf(out, "%s{\"kind\":\"%s\",\"table\":\"%s\"",
            differences->json_any ? "," : "", one->kind, one->table);
    fputs(",\"id\":", out);
    string_or_null(out, one->id);
    if (*one->id && !one->how)
        fprintf(out, ",\"sequence\":%" PRIu64, one->sequence);
    else
        fputs(",\"sequence\":null", out);
    fputs(",\"columns\":", out);
    string_or_null(out, one->columns);
    fputs(",\"how\":", out);
    string_or_null(out, one->how ? one->how : "");
    fputc('}', out);
    differences->json_any = true;
}

static void tell(void *context, const struct dbk_difference *one)
{
    struct differences *differences = context;

    progress_clear(&differences->session->progress);
    differences->told++;
    if (differences->lines)
        tell_line(differences->lines, one);
    tell_json(differences, one);
}

static enum dbk_code find_once(struct differences *differences, struct session *session,
                               FILE *lines, bool all, struct dbk_error *err)
{
    const struct dbk_compare_options options = {.most =
                                                    all ? UINT_MAX : DIFFERENCES_TOLD,
                                                .difference = tell,
                                                .context = differences,
                                                .watch = session->watch};
    enum dbk_code code;

    *differences = (struct differences){.session = session, .lines = lines};
    differences->json =
        open_memstream(&differences->json_text, &differences->json_size);
    if (!differences->json)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    code = dbk_compare(session->log, &session->database.at, &options,
                       &differences->result, err);
    progress_clear(&session->progress);
    differences->comparable = code == DBK_OK;
    if (code != DBK_NOT_FOUND && code != DBK_MOVED)
        return code;
    snprintf(differences->reason, sizeof differences->reason, "%s", err->text);
    return DBK_OK;
}

enum dbk_code differences_find(struct differences *differences, struct session *session,
                               FILE *lines, bool all, struct dbk_error *err)
{
    enum dbk_code code = find_once(differences, session, lines, all, err);

    while (code != DBK_OK && session_again(session, err)) {
        differences_finish(differences);
        code = find_once(differences, session, lines, all, err);
    }
    return code;
}

void differences_refuse(struct differences *differences, const char *reason)
{
    *differences = (struct differences){.comparable = false};
    snprintf(differences->reason, sizeof differences->reason, "%s", reason);
}

void differences_finish(struct differences *differences)
{
    if (differences->json)
        fclose(differences->json);
    free(differences->json_text);
    *differences = (struct differences){0};
}

static uint64_t found(const struct dbk_compare_result *result)
{
    return result->missing + result->extra + result->changed + result->columns +
           result->statistics;
}

bool differences_none(const struct differences *differences)
{
    const struct dbk_compare_result *result = &differences->result;

    return differences->comparable && found(result) == 0;
}

/* Those found, beyond those told. */
static uint64_t untold(const struct differences *differences)
{
    const struct dbk_compare_result *result = &differences->result;
    uint64_t all = found(result);

    return all > differences->told ? all - differences->told : 0;
}

void differences_print(const struct differences *differences, FILE *out)
{
    const struct dbk_compare_result *result = &differences->result;

    if (untold(differences) > 0)
        fprintf(out, "... and %" PRIu64 " more: --all tells them\n",
                untold(differences));
    if (!differences->comparable)
        fprintf(out, "projection    %s\n", differences->reason);
    else if (differences_none(differences))
        fprintf(out, "projection    equal to the log at record %" PRIu64 ": %s, %s\n",
                result->sequence, plural(result->persons, "persons").text,
                plural(result->events, "events").text);
    else
        fprintf(out,
                "projection    differs from the log at record %" PRIu64
                ": rows missing %" PRIu64 ", extra %" PRIu64 ", changed %" PRIu64
                ", statistics %" PRIu64 "\n",
                result->sequence, result->missing, result->extra, result->changed,
                result->statistics);
    if (result->quarantined > 0)
        fprintf(out,
                "              without %s in quarantine; daybook status tells whom\n",
                plural(result->quarantined, "persons").text);
    if (differences->comparable && !differences_none(differences))
        fputs("next          daybook rebuild makes the tables what the log says\n",
              out);
}

void differences_print_json(struct differences *differences, FILE *out)
{
    const struct dbk_compare_result *result = &differences->result;

    if (differences->json)
        fflush(differences->json);
    fprintf(out, "{\"equal\":%s", differences_none(differences) ? "true" : "false");
    fputs(",\"reason\":", out);
    if (!differences->comparable)
        escape_string(out, differences->reason);
    else
        fputs("null", out);
    fprintf(out,
            ",\"sequence\":%" PRIu64 ",\"persons\":%" PRIu64 ",\"events\":%" PRIu64
            ",\"missing\":%" PRIu64 ",\"extra\":%" PRIu64 ",\"changed\":%" PRIu64
            ",\"statistics\":%" PRIu64 ",\"columns\":%" PRIu64
            ",\"quarantined\":%" PRIu64 ",\"differences\":[%s],\"not_told\":%" PRIu64
            "}",
            result->sequence, result->persons, result->events, result->missing,
            result->extra, result->changed, result->statistics, result->columns,
            result->quarantined, differences->json_text ? differences->json_text : "",
            untold(differences));
}
