/* generate - fills a data directory with a made-up log: N events, and the persons,
 * updates and deletions that go with them. The same seed gives the same record bytes.
 *
 *   generate --data-dir DIR --events N [--seed S] [--identities 1]
 *
 * With --identities also anonymous events, aliases, external ids and properties of persons.
 * Prints one JSON object that says what it holds. DIR/log must hold no records.
 */
#include "draft.h"
#include "store/log_builder.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct request {
    const char *data_dir;
    uint64_t events, seed, identities;
};

static bool read_number(const char *text, uint64_t *out)
{
    char *end;

    *out = strtoull(text, &end, 10);
    return end != text && *end == '\0';
}

static bool read_request(int argc, char **argv, struct request *request)
{
    *request = (struct request){.seed = 1};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--data-dir"))
            request->data_dir = argv[i + 1];
        else if (!strcmp(argv[i], "--events") &&
                 read_number(argv[i + 1], &request->events))
            continue;
        else if (!strcmp(argv[i], "--identities") &&
                 read_number(argv[i + 1], &request->identities))
            continue;
        else if (strcmp(argv[i], "--seed") != 0 ||
                 !read_number(argv[i + 1], &request->seed))
            return false;
    }
    return argc % 2 == 1 && request->data_dir && request->events > 0;
}

static enum dbk_code add_next(struct history *history, struct dbk_log_builder *builder,
                              struct dbk_error *err)
{
    char bytes[DBK_RECORD_MAX];
    struct dbk_record record;
    size_t length;

    if (!history_next(history, &record))
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    record.sequence = dbk_log_builder_head(builder) + 1;
    if (dbk_record_encode(&record, bytes, sizeof bytes, &length, err) != DBK_OK)
        return err->code;
    return dbk_log_builder_add(builder, bytes, length, err);
}

static enum dbk_code fill(const struct request *request, struct history *history,
                          uint64_t *head, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    struct dbk_log_builder *builder;
    char dir[PATH_MAX];

    if (snprintf(dir, sizeof dir, "%s/log", request->data_dir) >= (int)sizeof dir)
        return dbk_fail(err, DBK_INVALID, "the path is too long");
    if (dbk_log_builder_open(dir, &builder, err) != DBK_OK)
        return err->code;
    while (code == DBK_OK && (history->events < request->events || history->signup))
        code = add_next(history, builder, err);
    *head = dbk_log_builder_head(builder);
    if (code == DBK_OK)
        return dbk_log_builder_finish(builder, err);
    dbk_log_builder_abandon(builder);
    return code;
}

int main(int argc, char **argv)
{
    struct history *history = calloc(1, sizeof *history);
    struct dbk_error err = {0};
    struct request request;
    uint64_t head = 0;
    enum dbk_code code;

    if (!history || !read_request(argc, argv, &request)) {
        fputs("usage: generate --data-dir DIR --events N [--seed S] "
              "[--identities 1]\n",
              stderr);
        free(history);
        return 2;
    }
    history->random.state = request.seed;
    history->identities = request.identities > 0;
    mkdir(request.data_dir, 0700); /* where it cannot be made, filling says so */
    code = fill(&request, history, &head, &err);
    if (code == DBK_OK)
        printf("{\"records\":%" PRIu64 ",\"events\":%" PRIu64 ",\"persons\":%" PRIu64
               ",\"person_updates\":%" PRIu64 ",\"person_deletes\":%" PRIu64
               ",\"event_deletes\":%" PRIu64 "}\n",
               head, history->events, history->persons, history->updates,
               history->deletes, history->event_deletes);
    else
        fprintf(stderr, "generate: %s\n", err.text);
    history_finish(history);
    free(history);
    return code == DBK_OK ? 0 : 3;
}
