/* ceiling_store - the store itself, in this process: no HTTP, no JSON, no projection.
 *
 *   ceiling_store DIR RECORDS BATCH
 *
 * Events are drafted, encoded and handed to dbk_log_submit, BATCH at a time, by one
 * thread. Beside ceiling_log's figure it tells what deciding and the queue cost. Prints
 * one JSON object.
 */
#include "latency.h"
#include "store/log.h"

#include <stdio.h>
#include <stdlib.h>

static void give_up(const struct dbk_error *err)
{
    fprintf(stderr, "ceiling_store: %s\n", err->text);
    exit(1);
}

static struct dbk_uuid make_person(struct dbk_log *log)
{
    struct dbk_record person = {
        .type = DBK_PERSON_CREATED,
        .subject = dbk_uuid_new(),
        .person = {.has = DBK_HAS_ALL,
                   .email = dbk_slice("kate.pryde@marauders.mock"),
                   .first_name = dbk_slice("Kate"),
                   .last_name = dbk_slice("Pryde"),
                   .role = DBK_ROLE_USER},
    };
    struct dbk_command *command = dbk_command_create();
    struct dbk_error err;

    if (!command || dbk_command_add(command, &person, &err) != DBK_OK ||
        dbk_log_submit(log, &command, 1, NULL, NULL, &err) != DBK_OK)
        give_up(&err);
    dbk_command_destroy(command);
    return person.subject;
}

/* The event that load.py posts. */
static struct dbk_command *draft(const struct dbk_uuid *person)
{
    struct dbk_record event = {
        .type = DBK_EVENT_RECORDED,
        .subject = dbk_uuid_new(),
        .person_id = *person,
        .event_type = dbk_slice("page_edit"),
        .properties = dbk_slice("{\"page\":\"/articles/10482\",\"rank\":17,"
                                "\"referrer\":\"https://example.org/start\"}"),
        .request_id = dbk_slice("01890a5d-ac96-774b-bcce-b302099a8057"),
        .source = dbk_slice("rest"),
    };
    struct dbk_command *command = dbk_command_create();
    struct dbk_error err;

    if (!command || dbk_command_add(command, &event, &err) != DBK_OK)
        give_up(&err);
    return command;
}

static void append(struct dbk_log *log, const struct dbk_uuid *person,
                   struct dbk_command **commands, size_t count)
{
    struct dbk_error err;

    for (size_t i = 0; i < count; i++)
        commands[i] = draft(person);
    if (dbk_log_submit(log, commands, count, NULL, NULL, &err) != DBK_OK)
        give_up(&err);
    for (size_t i = 0; i < count; i++) {
        if (dbk_command_verdict(commands[i])->code != DBK_OK)
            give_up(&dbk_command_verdict(commands[i])->error);
        dbk_command_destroy(commands[i]);
    }
}

static double run(struct dbk_log *log, size_t records, size_t batch)
{
    struct dbk_command **commands = calloc(batch, sizeof *commands);
    struct dbk_uuid person = make_person(log);
    double start = latency_now();

    if (!commands)
        exit(1);
    for (size_t left = records; left > 0;) {
        size_t count = left < batch ? left : batch;

        append(log, &person, commands, count);
        left -= count;
    }
    free(commands);
    return latency_now() - start;
}

int main(int argc, char **argv)
{
    struct dbk_error err;
    struct dbk_log *log;
    size_t records;

    if (argc != 4)
        return fputs("usage: ceiling_store DIR RECORDS BATCH\n", stderr), 2;
    if (dbk_log_open(argv[1], NULL, &log, &err) != DBK_OK)
        give_up(&err);
    records = strtoull(argv[2], NULL, 10);
    printf("{\"records\": %zu, \"seconds\": %.6f}\n", records,
           run(log, records, strtoull(argv[3], NULL, 10)));
    dbk_log_close(log);
    return 0;
}
