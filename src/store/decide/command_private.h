/* command_private.h - a command as the writer sees it. Private to the store. */
#ifndef DBK_STORE_COMMAND_PRIVATE_H
#define DBK_STORE_COMMAND_PRIVATE_H

#include "identity.h"
#include "store/command.h"

/* What a record is sealed with. */
struct command_key {
    uint64_t number; /* of the person's key; 0: it is not sealed */
    uint64_t month;  /* and of the month's; 0: with none */
};

struct command_entry {
    enum dbk_type type;
    struct dbk_uuid subject;
    struct dbk_uuid person_id; /* event.recorded, but for an anonymous one */
    size_t offset;             /* of the encoded record in bytes */
    size_t length;
};

/* Enough for the record of most events, plain and sealed. */
#define COMMAND_SMALL 768

/* What every command uses stands together. */
struct dbk_command {
    struct command_entry *entries; /* first, while there is but one */
    size_t count, entries_size;
    char *bytes; /* small, while they fit there */
    size_t bytes_used, bytes_size;
    struct dbk_person_state *person; /* that it leaves; filled when it is accepted */
    uint64_t expected_version;       /* 0: any */
    dbk_merge *merge;                /* NULL: none */
    bool expects_person, by_external, has_otherwise;
    bool has_alias, has_external; /* in it */
    bool no_memory;               /* for a key below */
    bool in_block;                /* its memory is a block's */

    /* Of deciding, which may happen again: beyond what was drafted, bytes has the
     * person.updated with its properties merged, where that is appended. */
    bool has_merged;
    size_t drafted;
    size_t first_offset, first_length; /* of what dbk_command_first tells */

    char *made;       /* its only record, sealed by the submitter with this */
    bool made_inside; /* it lies in bytes, behind the draft */
    size_t made_length;
    struct command_key made_with;

    char *sealed; /* the record that it appended first, as a sealed log has it: kept of
                     the first command of a transaction; else NULL */
    size_t sealed_length;

    struct dbk_verdict verdict;
    struct command_entry first;
    char small[COMMAND_SMALL];

    struct dbk_uuid expected_person;
    struct command_entry otherwise, merged;

    /* Hashed by whoever drafts, not in the turn. */
    struct identity_key alias;    /* of the one anonymous id in it */
    struct identity_key external; /* of the external id of its first record */
    struct identity_key by;       /* of the external id that says whose it is */
    struct identity_key otherwise_external; /* of that of `otherwise` */
};

/* As dbk_command_create gives it, and without what it owns. */
void command_init(struct dbk_command *command);
void command_finish(struct dbk_command *command);

/* No verdict yet. The rest of its text is left as it is. */
void command_clear_verdict(struct dbk_verdict *verdict);

/* As it was drafted, whatever deciding has made of it; no verdict yet. */
void command_begin(struct dbk_command *command);

/* Keep the record that is appended instead of a drafted one. False: no memory. */
bool command_keep_merged(struct dbk_command *command, const struct command_entry *from,
                         const char *bytes, size_t length);

/* Seal an event of a known person that stands alone, for who is about to submit it, with the
 * person's key, or its mixture with the month's. False: no memory; it is sealed in the turn
 * then. */
bool command_seal(struct dbk_command *command, struct command_key with,
                  const uint8_t key[32]);

/* Keep what was written of its first record. False: no memory. */
bool command_keep_sealed(struct dbk_command *command, const char *bytes, size_t length);

/* What the command begins with is now this. */
void command_set_first(struct dbk_command *command, const struct command_entry *first);

/* Whether it is an event with an anonymous id, which stands alone. */
bool command_is_anonymous(const struct dbk_command *command);

#endif
