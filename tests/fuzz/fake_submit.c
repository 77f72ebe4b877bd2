#include "fake_submit.h"

#include "command_private.h"
#include "fuzz.h"
#include "person_state.h"
#include "store/log.h"

#define NOW INT64_C(1764000000000000)

static enum dbk_code answer;

enum dbk_code __wrap_dbk_log_submit(struct dbk_log *log,
                                    struct dbk_command *const *commands, size_t count,
                                    const struct dbk_idempotency *idempotency,
                                    bool *replayed, struct dbk_error *err);

void fake_submit_answer(enum dbk_code code)
{
    answer = code;
}

static bool is_verdict(enum dbk_code code)
{
    return code == DBK_OK || code == DBK_EXISTS || code == DBK_CONFLICT ||
           code == DBK_NOT_FOUND || code == DBK_MOVED || code == DBK_DAMAGED;
}

/* The person as the command leaves it. */
static void change_person(struct dbk_log *log, struct dbk_command *command,
                          uint64_t version)
{
    struct dbk_record record;

    dbk_command_first(command, &record);
    if (record.type == DBK_PERSON_CREATED)
        person_state_begin(command->person, &record, NOW);
    else if (dbk_log_person(log, &record.subject, command->person, NULL) == DBK_OK)
        person_state_change(command->person, &record.person, 1);
    command->person->version = version;
}

static void decide(struct dbk_log *log, struct dbk_command *command, uint64_t head)
{
    struct dbk_verdict *verdict = &command->verdict;

    *verdict = (struct dbk_verdict){.code = answer, .recorded_at = NOW};
    if (answer != DBK_OK) {
        dbk_fail(&verdict->error, answer, "refused by a test");
        verdict->sequence = answer == DBK_EXISTS ? head : 0;
        return;
    }
    verdict->first_sequence = head + 1;
    verdict->sequence = head + command->count;
    if (command->person)
        change_person(log, command, head + 1);
}

enum dbk_code __wrap_dbk_log_submit(struct dbk_log *log,
                                    struct dbk_command *const *commands, size_t count,
                                    const struct dbk_idempotency *idempotency,
                                    bool *replayed, struct dbk_error *err)
{
    uint64_t head;

    require(idempotency == NULL || replayed != NULL);
    if (replayed)
        *replayed = false;
    if (!is_verdict(answer))
        return dbk_fail(err, answer, "failed by a test");
    require(dbk_log_head(log, &head, err) == DBK_OK);
    for (size_t i = 0; i < count; i++)
        decide(log, commands[i], head);
    return DBK_OK;
}
