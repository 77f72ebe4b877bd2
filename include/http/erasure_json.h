/* erasure_json.h - the receipt of who was erased, as a JSON object: for the API, for tools, and
 * for who keeps it.
 *
 *     {"person_id":"…","sequence":42,"erased_at":"2026-11-29T…","keys_destroyed":2,
 *      "records":17,"pending":true,"rotation":{"epoch":1,"at":null},
 *      "done":{"keys":"destroyed","memory":"wiped","tables":"removed"},
 *      "not_known":[{"what":"backups","at":null,"text":"…"},…],
 *      "entry":"…","record":"…","proof":"…"}
 *
 * docs/erasure.md says what each tells. All functions are thread-safe.
 */
#ifndef DBK_HTTP_ERASURE_JSON_H
#define DBK_HTTP_ERASURE_JSON_H

#include "store/erasure.h"
#include "store/render.h"

/* What whoever writes it knows besides. */
struct dbk_erasure_known {
    struct dbk_slice proof; /* of the record, a tlog-proof; length 0: none */
    /* How far the read tables are: 0 where that is not known. */
    uint64_t tables;
    bool aside; /* they have set the person aside, so its rows may be there still */
    /* When the last backup was made that is known; 0: none is. */
    dbk_timestamp backup_at;
};

void dbk_erasure_json(const struct dbk_erasure *erasure,
                      const struct dbk_erasure_known *known, struct dbk_render *out);

/* What of one can be held against a log's key. */
struct dbk_erasure_claim {
    struct dbk_slice person_id, erased_at; /* as they stand there */
    uint64_t sequence, keys;
    struct dbk_slice entry;  /* its hash, in hexadecimal digits */
    struct dbk_slice record; /* its bytes */
    struct dbk_slice proof;  /* length 0: it has none */
};

/* Read one, as a file has it: the object, or an answer of the API, whose data it is. Slices
 * point into text or room, which has twice as many bytes. Other members are not looked at.
 * DBK_INVALID: it is none. DBK_NO_MEMORY. */
enum dbk_code dbk_erasure_json_read(const char *text, size_t length, char *room,
                                    struct dbk_erasure_claim *out,
                                    struct dbk_error *err);

#endif
