/* fields.h - what is wrong with which field of a body, for the "errors" of an answer. */
#ifndef DBK_HTTP_FIELDS_H
#define DBK_HTTP_FIELDS_H

#include "store/uuid.h"

#include <stdbool.h>
#include <stddef.h>

#define DBK_FIELD_ERRORS_MAX 16

/* Lives on the caller's stack. Zero it before first use. */
struct dbk_field_errors {
    size_t count; /* further ones are dropped */
    struct dbk_field_error {
        char field[64];     /* path: "email", "events[3].id"; cut when too long */
        char message[160];  /* what is expected, and where it helps what was found */
        bool has_person_id; /* another person has it: */
        struct dbk_uuid person_id;
    } list[DBK_FIELD_ERRORS_MAX];
};

#endif
