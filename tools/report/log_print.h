/* log_print.h - records for people to read: a block each, or a line each. What a value
 * holds stays on its line, and cannot move the cursor. */
#ifndef DBK_TOOLS_LOG_PRINT_H
#define DBK_TOOLS_LOG_PRINT_H

#include "store/record.h"

#include <stdio.h>

/* A person's fields as they were before a record; has says which are known. */
struct log_before {
    unsigned has; /* DBK_HAS_... */
    enum dbk_role role;
    char email[DBK_EMAIL_MAX + 1];
    char first_name[DBK_NAME_MAX + 1];
    char last_name[DBK_NAME_MAX + 1];
    char external_id[DBK_EXTERNAL_ID_MAX + 1];
};

/* Take over what a person.created or person.updated says; other records say nothing. */
void log_before_take(struct log_before *before, const struct dbk_record *record);

/* The record as a block of lines with an empty one behind it, as `git log` has them.
 * before (may be NULL) gives the old values of what a person.updated changed. */
void log_print_block(FILE *out, const struct dbk_record *record,
                     const struct log_before *before);

/* The record as one line; long properties are cut. */
void log_print_line(FILE *out, const struct dbk_record *record);

/* The record as its JSON object on a line, as GET /log has it. room is of
 * DBK_RECORD_JSON_MAX bytes (http/record_json.h). DBK_INVALID: its text is not UTF-8. */
enum dbk_code log_print_json(FILE *out, const struct dbk_record *record, char *room,
                             struct dbk_error *err);

#endif
