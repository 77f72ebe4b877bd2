/* export_csv.h - a record as a row of CSV (RFC 4180: fields with a comma, a quote or a
 * line break stand in quotes, quotes in them twice, rows end with CR LF).
 *
 * A spreadsheet takes a cell that begins with =, +, - or @ for a formula, and runs it. Such
 * a cell, blanks before it or not, also one that begins with a tab, a carriage return, the
 * fullwidth form of one of the four, or the very ', gets a ' in front: so who takes the
 * first ' of a cell away has what was recorded.
 *
 * What a record does not have is an empty field, and so is what it takes away. person_id is
 * whom it is about: of a person's records the subject, so that one column finds all of one
 * person but for what was done under an alias before it became one.
 */
#ifndef DBK_TOOLS_EXPORT_CSV_H
#define DBK_TOOLS_EXPORT_CSV_H

#include "store/record.h"

#include <stddef.h>

#define EXPORT_CSV_HEADER                                                              \
    "sequence,type,recorded_at,subject_id,person_id,email,first_name,last_name,role,"  \
    "event_type,datetime_created,properties,request_id,actor,source,external_id,"      \
    "anonymous_id,clock_offset,traceparent\r\n"

/* Write the row, its end included; returns its length. The cells that got a ' are added to
 * *escaped. */
#define EXPORT_CSV_MAX ((size_t)256 * 1024)
size_t export_csv_row(const struct dbk_record *record, char out[EXPORT_CSV_MAX],
                      uint64_t *escaped);

#endif
