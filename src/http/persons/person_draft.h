/* person_draft.h - commands that make persons. */
#ifndef DBK_HTTP_PERSON_DRAFT_H
#define DBK_HTTP_PERSON_DRAFT_H

#include "request.h"
#include "store/command.h"

/* The records of a new person: person.created, its signup event, and where it brings an
 * anonymous id, person.aliased. Their slices are the person's. */
struct person_draft {
    struct dbk_record records[3];
    size_t count;
};

/* person: a person.created as dbk_body_person reads it. Its event gets a new id. */
void person_draft_new(const struct request *rq, const struct dbk_record *person,
                      struct person_draft *out);

/* The command of these; where updated is not NULL and somebody has the person's external id
 * when it is decided, that is done instead, of who has it (dbk_command_otherwise). merges:
 * properties that are there already are merged with (json_merge.h). NULL: err says why. */
struct dbk_command *person_draft_command(const struct request *rq,
                                         const struct person_draft *draft,
                                         const struct dbk_record *updated, bool merges,
                                         struct dbk_error *err);

/* The command of a person that a batch brings: who has the external id is updated with what
 * it says, and keeps the rest; else the person is made. NULL: err says why. */
struct dbk_command *person_draft_upsert(const struct request *rq,
                                        const struct dbk_body *body,
                                        struct dbk_error *err);

#endif
