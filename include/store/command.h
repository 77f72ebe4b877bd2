/* command.h - what a caller asks of the log: one or more records, all or none.
 *
 * A command is drafted and encoded by the caller's thread, handed to dbk_log_submit, and
 * then holds its own verdict. It owns everything in it. Not thread-safe; one thread at a
 * time has it.
 *
 * The shapes there are:
 *   person.created [event.recorded of that person ...] [person.aliased of that person]
 *   person.updated [event.recorded of that person ...]
 *   person.deleted
 *   person.erased, of a sealed log; its draft has no keys, the writer knows them
 *   event.recorded
 *   event.deleted
 *   person.aliased
 *   person.unaliased
 *   person.restricted
 *   person.unrestricted
 *
 * An event.recorded with an anonymous_id stands alone; its draft's person_id is ignored,
 * the writer fills in whose the anonymous id is.
 */
#ifndef DBK_STORE_COMMAND_H
#define DBK_STORE_COMMAND_H

#include "store/record.h"

struct dbk_command;

/* How many anonymous ids a person may have. */
#define DBK_ALIASES_MAX 1000

/* The state of a person as deciding sees it: a copy, no pointers. Its texts are
 * NUL-terminated, and "" where the person has none. */
struct dbk_person_state {
    struct dbk_uuid id;
    /* The sequence of the record that last changed the person: those of aliases and of
     * restrictions do not. */
    uint64_t version;
    dbk_timestamp datetime_created;
    dbk_timestamp datetime_modified;
    bool deleted;
    bool erased;  /* deleted for good: in a sealed log nothing more is known */
    uint64_t key; /* of a sealed log: the number of the person's key; else 0 */
    enum dbk_role role;
    uint32_t aliases;              /* how many anonymous ids are the person's */
    uint64_t properties_sequence;  /* of the record that has its properties; 0: none */
    char email[DBK_EMAIL_MAX + 1]; /* as the client wrote it */
    char first_name[DBK_NAME_MAX + 1];
    char last_name[DBK_NAME_MAX + 1];
    char external_id[DBK_EXTERNAL_ID_MAX + 1];
};

/* What identifies a person besides the id. */
enum dbk_identity {
    DBK_IDENTITY_EMAIL,       /* without regard to case */
    DBK_IDENTITY_EXTERNAL_ID, /* to the byte, as the next */
    DBK_IDENTITY_ANONYMOUS_ID,
};

/* The verdict on a command. */
struct dbk_verdict {
    enum dbk_code code;
    uint64_t first_sequence; /* of its first record; 0 where nothing was appended */
    /* Of its last record; where a person.updated changed nothing and so nothing was
     * appended, the person's version; with DBK_EXISTS, the record that has the id. */
    uint64_t sequence;
    dbk_timestamp recorded_at; /* the same for all its records */
    /* DBK_CONFLICT for an email, external id or anonymous id that another person has: who,
     * and which of them. */
    bool has_holder;
    enum dbk_identity held;
    struct dbk_uuid holder;
    /* With dbk_command_otherwise: its person.updated was decided, not the person.created. */
    bool otherwise;
    struct dbk_error error; /* says why, unless code is DBK_OK */
};

/* A new, empty command, or NULL when out of memory. Free with dbk_command_destroy. */
struct dbk_command *dbk_command_create(void);
void dbk_command_destroy(struct dbk_command *command); /* NULL is fine */

/* Make it as dbk_command_create gives it, but keep memory of the usual size. */
void dbk_command_reset(struct dbk_command *command);

/* Add a record: it is encoded and copied, the draft may go. sequence and recorded_at of
 * the draft are ignored.
 *
 * DBK_INVALID    not one of the shapes above, an event id twice, or what encoding refuses
 * DBK_TOO_LARGE  a field over its bound
 * DBK_NO_MEMORY
 */
enum dbk_code dbk_command_add(struct dbk_command *command,
                              const struct dbk_record *draft, struct dbk_error *err);

/* For a command that begins with person.updated, person.aliased, person.unaliased,
 * person.restricted or person.unrestricted: its person is whoever has this external id when
 * it is decided (DBK_NOT_FOUND: nobody), and the draft's subject is ignored. Copied. */
void dbk_command_by_external_id(struct dbk_command *command,
                                struct dbk_slice external_id);

/* For one that begins with a person.created that has an external_id, when all its records
 * have been added: where somebody has that external id when it is decided, `updated` of that
 * person is appended instead of it, and what follows it but for the first event of the
 * command, which is the signup. The verdict says which it came to. updated's subject is
 * ignored; it is encoded and copied as by dbk_command_add, with the same failures.
 *
 * With dbk_command_merge and properties in both: they are what a new person has, and a patch
 * to those of one that is there. */
enum dbk_code dbk_command_otherwise(struct dbk_command *command,
                                    const struct dbk_record *updated,
                                    struct dbk_error *err);

/* Make a person's new properties: those of now, all of them (length 0: none), changed by the
 * patch, into out, which has size bytes; *length receives how many they are, 0 for none.
 * What is not DBK_OK is the verdict, as err says it. It must neither wait nor take locks. */
typedef enum dbk_code dbk_merge(struct dbk_slice current, struct dbk_slice patch,
                                char *out, size_t size, size_t *length,
                                struct dbk_error *err);

/* The properties of the command's person.updated (that of dbk_command_otherwise, too) are a
 * patch: while deciding, merge makes of it what is appended; where that is what the person
 * has, byte for byte, nothing of it changes. Called by whoever has the turn to write: another
 * thread, maybe. */
void dbk_command_merge(struct dbk_command *command, dbk_merge *merge);

/* Refuse with DBK_MOVED unless the person is at this version (0: any). For commands that
 * begin with person.updated or person.deleted. */
void dbk_command_expect(struct dbk_command *command, uint64_t version);

/* For event.deleted: refuse with DBK_CONFLICT unless the event is this person's (the nil
 * UUID: nobody's). Without it the person_id of the draft is ignored and the writer fills in
 * the true one. */
void dbk_command_expect_person(struct dbk_command *command, const struct dbk_uuid *id);

/* Its first record, which must be there, decoded; after a verdict of DBK_OK as it was
 * appended: of whom, whose, and with which properties. Borrowed until the command is reset
 * or destroyed. */
void dbk_command_first(const struct dbk_command *command, struct dbk_record *out);

/* Valid after dbk_log_submit, borrowed until the command is destroyed. */
const struct dbk_verdict *dbk_command_verdict(const struct dbk_command *command);

/* The person as the command left it; after a command that begins with person.created,
 * person.updated, person.aliased or person.unaliased and was accepted (else NULL). Borrowed
 * until the command is destroyed. */
const struct dbk_person_state *dbk_command_person(const struct dbk_command *command);

#endif
