/* record_json.h - a record of the log as the JSON object of GET /log, and back.
 *
 * Written for exports, so that reading gives the very record back, and encoding that
 * gives the very bytes:
 *
 *     {"format":1,"type":"event.recorded","sequence":2,"recorded_at":"2026-11-23T17:…",
 *      "subject_id":"…","data":{…},"meta":{…}}
 *
 * on one line, without white space between values but for what is in properties. data
 * and meta have the names that store/record.h lists, in that order, times and ids as
 * text. One thing GET /log does not have: where the client's properties hold line breaks,
 * which one line cannot show, "properties_text" behind them is their text as a string.
 * And where a record is sealed, data is as it lies in the log, whether it was opened or not:
 * person_id (of an event), key, a number, and sealed, its bytes in base64.
 *
 * All functions are thread-safe and allocate nothing.
 */
#ifndef DBK_HTTP_RECORD_JSON_H
#define DBK_HTTP_RECORD_JSON_H

#include "store/error.h"
#include "store/record.h"
#include "store/render.h"

#include <stddef.h>

/* The longest line there can be, in bytes: all fields at their longest, all escaped. */
#define DBK_RECORD_JSON_MAX ((size_t)512 * 1024)

/* Write the object to out, which has size bytes (DBK_RECORD_JSON_MAX is enough), without
 * a NUL or a line feed; *length receives how many. record must have been decoded.
 *
 * DBK_INVALID    it holds text that is not UTF-8, which JSON cannot say
 * DBK_TOO_LARGE  out is too small
 */
enum dbk_code dbk_record_json_write(const struct dbk_record *record, char *out,
                                    size_t size, size_t *length, struct dbk_error *err);

/* The same with what is sealed in it, where it was opened: for people, and others' programs.
 * It is not read back: nothing would be sealed any more. One whose key is destroyed has
 * "erased":true, one that was not opened "sealed":true. */
enum dbk_code dbk_record_json_write_opened(const struct dbk_record *record, char *out,
                                           size_t size, size_t *length,
                                           struct dbk_error *err);

/* Write the record as a CloudEvent, as GET /log gives it to who asks for those, on one line;
 * store_id names the log, which is its source. */
void dbk_record_cloud_event(const struct dbk_record *record,
                            const struct dbk_uuid *store_id, struct dbk_render *out);

/* How many bytes reading needs to work in. */
#define DBK_RECORD_JSON_ROOM (2 * DBK_RECORD_JSON_MAX)

/* Read such an object, and nothing else: text that writing the record again would not
 * give byte for byte is refused, and so is a properties that is no JSON (http/body.h says
 * what we read). Fields over their bounds are not: encoding refuses them. out's slices
 * point into text and room (DBK_RECORD_JSON_ROOM bytes, the caller's).
 *
 * DBK_INVALID      err says what is wrong at which column, counted in bytes from 1
 * DBK_UNSUPPORTED  a format newer than DBK_RECORD_FORMAT
 */
enum dbk_code dbk_record_json_read(const char *text, size_t length, char *room,
                                   struct dbk_record *out, struct dbk_error *err);

#endif
