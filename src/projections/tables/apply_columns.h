/* apply_columns.h - the arrays that a fold is sent as. */
#ifndef DBK_PROJECTIONS_APPLY_COLUMNS_H
#define DBK_PROJECTIONS_APPLY_COLUMNS_H

#include "apply.h"

/* In the order of the parameters of the statement they go to. */
enum apply_column {
    DELETED_PERSON,
    DELETED_EVENT,
    UPDATED_ID,
    UPDATED_SEQUENCE,
    UPDATED_MODIFIED,
    UPDATED_EMAIL,
    UPDATED_FIRST_NAME,
    UPDATED_LAST_NAME,
    UPDATED_ROLE,
    PERSON_ID,
    PERSON_SEQUENCE,
    PERSON_CREATED_SEQUENCE,
    PERSON_CREATED,
    PERSON_MODIFIED,
    PERSON_EMAIL,
    PERSON_FIRST_NAME,
    PERSON_LAST_NAME,
    PERSON_ROLE,
    EVENT_ID,
    EVENT_SEQUENCE,
    EVENT_PERSON,
    EVENT_TYPE,
    EVENT_CREATED,
    EVENT_PROPERTIES,
};

/* Empty every column, then fill them from the fold. */
void apply_fill(struct apply *apply, const struct fold *fold);

#endif
