/* command.h - what a caller asks of the log: one or more records, all or none.
 *
 * A command is drafted and encoded by the caller's thread, handed to dbk_log_submit, and
 * then holds its own verdict. It owns everything in it. Not thread-safe; one thread at a
 * time has it.
 *
 * The shapes there are:
 *   person.created [event.recorded of that person ...]
 *   person.updated [event.recorded of that person ...]
 *   person.deleted
 *   event.recorded
 *   event.deleted
 */
#ifndef DBK_STORE_COMMAND_H
#define DBK_STORE_COMMAND_H

#include "store/record.h"

struct dbk_command;

/* The state of a person as deciding sees it: a copy, no pointers. */
struct dbk_person_state {
    struct dbk_uuid id;
    uint64_t version; /* the sequence of the record that last changed the person */
    dbk_timestamp datetime_created;
    dbk_timestamp datetime_modified;
    bool deleted;
    enum dbk_role role;
    char email[DBK_EMAIL_MAX + 1];     /* NUL-terminated, as the client wrote it */
    char first_name[DBK_NAME_MAX + 1]; /* NUL-terminated */
    char last_name[DBK_NAME_MAX + 1];  /* NUL-terminated */
};

/* The verdict on a command. */
struct dbk_verdict {
    enum dbk_code code;
    uint64_t first_sequence; /* of its first record; 0 where nothing was appended */
    /* Of its last record; where a person.updated changed nothing and so nothing was
     * appended, the person's version; with DBK_EXISTS, the record that has the id. */
    uint64_t sequence;
    dbk_timestamp recorded_at; /* the same for all its records */
    struct dbk_error error;    /* says why, unless code is DBK_OK */
};

/* A new, empty command, or NULL when out of memory. Free with dbk_command_destroy. */
struct dbk_command *dbk_command_create(void);
void dbk_command_destroy(struct dbk_command *command); /* NULL is fine */

/* Make it as dbk_command_create gives it, but keep memory of the usual size. */
void dbk_command_reset(struct dbk_command *command);

/* Add a record: it is encoded and copied, the draft may go. sequence and recorded_at of
 * the draft are ignored.
 *
 * DBK_INVALID    not one of the shapes above, an event id twice, or a time that cannot
 *                be written as text
 * DBK_TOO_LARGE  a field over its bound
 * DBK_NO_MEMORY
 */
enum dbk_code dbk_command_add(struct dbk_command *command,
                              const struct dbk_record *draft, struct dbk_error *err);

/* Refuse with DBK_MOVED unless the person is at this version (0: any). For commands that
 * begin with person.updated or person.deleted. */
void dbk_command_expect(struct dbk_command *command, uint64_t version);

/* For event.deleted: refuse with DBK_CONFLICT unless the event is this person's. Without
 * it the person_id of the draft is ignored and the writer fills in the true one. */
void dbk_command_expect_person(struct dbk_command *command, const struct dbk_uuid *id);

/* Its first record, which must be there, decoded. Borrowed until the command is reset or
 * destroyed. */
void dbk_command_first(const struct dbk_command *command, struct dbk_record *out);

/* Valid after dbk_log_submit, borrowed until the command is destroyed. */
const struct dbk_verdict *dbk_command_verdict(const struct dbk_command *command);

/* The person as the command left it; after a command that begins with person.created or
 * person.updated and was accepted (else NULL). Borrowed until the command is destroyed. */
const struct dbk_person_state *dbk_command_person(const struct dbk_command *command);

#endif
