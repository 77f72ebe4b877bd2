/* person_value.h - what the index has of a person, as index.h tells, and its bytes.
 *
 * Private to the store. Errors as index.h.
 */
#ifndef DBK_STORE_PERSON_VALUE_H
#define DBK_STORE_PERSON_VALUE_H

#include "environment.h"
#include "sealed.h"
#include "store/command.h"

#define PERSON_FIXED (8 + 8 + 8 + 1 + 1 + 2 + 2 + 2)
#define PERSON_LONGER (2 + 8 + 4)
#define SEALED_FIXED (8 + 1 + 8)
#define PERSON_MAX                                                                     \
    (PERSON_FIXED + DBK_EMAIL_MAX + 2 * DBK_NAME_MAX + PERSON_LONGER +                 \
     DBK_EXTERNAL_ID_MAX)

/* The most that person_value_write makes. */
#define PERSON_VALUE_MAX (SEALED_FIXED + SEAL_OVERHEAD + PERSON_MAX)

/* out->id tells of whom it is, and stays. */
int person_value_read(const struct environment *environment, MDB_val value,
                      struct dbk_person_state *out);

/* The same of a sealed log without what is sealed. */
int person_value_look(MDB_val value, struct dbk_person_state *out);

int person_value_write(const struct environment *environment,
                       const struct dbk_person_state *state, char out[PERSON_VALUE_MAX],
                       size_t *length);

#endif
