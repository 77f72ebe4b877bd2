/* command_private.h - a command as the writer sees it. Private to the store. */
#ifndef DBK_STORE_COMMAND_PRIVATE_H
#define DBK_STORE_COMMAND_PRIVATE_H

#include "store/command.h"

struct command_entry {
    enum dbk_type type;
    struct dbk_uuid subject;
    struct dbk_uuid person_id; /* event.recorded */
    size_t offset;             /* of the encoded record in bytes */
    size_t length;
};

/* Enough for the record of most events. */
#define COMMAND_SMALL 384

struct dbk_command {
    struct command_entry *entries; /* first, while there is but one */
    struct command_entry first;
    size_t count, entries_size;
    char *bytes; /* small, while they fit there */
    size_t bytes_used, bytes_size;
    char small[COMMAND_SMALL];
    uint64_t expected_version; /* 0: any */
    bool unsupported;          /* it asks for what cannot be decided yet */
    bool expects_person;
    struct dbk_uuid expected_person;
    struct dbk_verdict verdict;
    struct dbk_person_state *person; /* for commands that begin with person.created or
                                        person.updated; filled when they are accepted */
};

/* No verdict yet. The rest of its text is left as it is. */
void command_clear_verdict(struct dbk_verdict *verdict);

#endif
