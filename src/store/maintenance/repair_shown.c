#include "repair_shown.h"

#include "environment.h"
#include "identity.h"
#include "index.h"
#include "sandbox.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

/* An alias does not change the person's version; its entry has the sequence. */
static bool has_alias(MDB_txn *txn, const struct environment *environment,
                      uint64_t sequence, const struct dbk_uuid *person)
{
    struct identity_key key = {{0}};
    struct identity_alias alias;
    MDB_cursor *cursor;
    bool found = false;

    if (!environment->person_alias ||
        mdb_cursor_open(txn, environment->person_alias, &cursor) != 0)
        return false;
    while (!found && identity_next(cursor, person, &key) == 0)
        found = identity_get_alias_at(txn, environment, &key, &alias) == 0 &&
                alias.sequence == sequence;
    mdb_cursor_close(cursor);
    return found;
}

static bool is_indexed(const char *dir, uint64_t sequence,
                       const struct dbk_uuid *subject)
{
    struct environment environment;
    struct dbk_person_state person;
    struct dbk_event_state event;
    struct dbk_error err;
    MDB_txn *txn;

    if (environment_open(dir, ENVIRONMENT_SALVAGE, 0, &environment, &err) != DBK_OK ||
        mdb_txn_begin(environment.env, NULL, MDB_RDONLY, &txn) != 0)
        return false;
    if (index_get_event(txn, &environment, subject, &event) == 0)
        return event.sequence == sequence || event.deleted_sequence == sequence;
    return index_get_person(txn, &environment, subject, &person) == 0 &&
           (person.version == sequence ||
            has_alias(txn, &environment, sequence, subject));
}

bool repair_is_shown(const char *dir, uint64_t sequence, const struct dbk_uuid *subject)
{
    pid_t parent = getpid(), child = fork();
    int status = 0;

    if (child == 0) {
        sandbox_become_child(parent);
        _exit(is_indexed(dir, sequence, subject) ? 0 : 1);
    }
    if (child < 0)
        return false;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
