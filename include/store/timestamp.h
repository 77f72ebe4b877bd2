/* timestamp.h - instants as microseconds since 1970-01-01T00:00:00 UTC, and their text.
 *
 * Written always as 2023-10-08T06:03:33.330037 (UTC, six digits, no zone). Read with
 * 'T', 't' or a space, no fraction or one of any number of digits, of which those behind
 * the sixth are cut off (an earlier time), and no zone, Z or an offset such as +02:00 (ISO
 * 8601 as RFC 3339 profiles it; no leap seconds). Years 0001 to 9999.
 * All functions are thread-safe.
 */
#ifndef DBK_STORE_TIMESTAMP_H
#define DBK_STORE_TIMESTAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DBK_TIMESTAMP_TEXT 26 /* characters, without the NUL */

typedef int64_t dbk_timestamp;

/* The system clock. */
dbk_timestamp dbk_timestamp_now(void);

/* False where the text is not of the form above or names no day of the calendar. */
bool dbk_timestamp_parse(const char *text, size_t length, dbk_timestamp *out);

/* Write the form above and a NUL. at must lie in the years 0001 to 9999. */
void dbk_timestamp_format(dbk_timestamp at, char out[DBK_TIMESTAMP_TEXT + 1]);

/* Whether at lies in the years that can be written. */
bool dbk_timestamp_valid(dbk_timestamp at);

/* The beginning of the month, UTC, in which at is. at must be one that can be written. */
dbk_timestamp dbk_timestamp_month(dbk_timestamp at);

/* A month as an operator names it, "2026-03", and a NUL. at must lie in the years 1 to 9999. */
#define DBK_MONTH_TEXT 7
void dbk_month_format(dbk_timestamp at, char out[DBK_MONTH_TEXT + 1]);
/* Back: its first moment, UTC. False where text, NUL-terminated, is no month; *out is 0 then. */
bool dbk_month_parse(const char *text, dbk_timestamp *out);

#endif
