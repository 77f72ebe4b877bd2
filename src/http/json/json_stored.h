/* json_stored.h - JSON as PostgreSQL's jsonb writes it, and whether two texts are the same
 * but for what it forgets. Private to src/http.
 *
 * The read tables keep properties as jsonb, which forgets how a client spelt them: members
 * stand in the order of their keys, the shorter first; numbers are written out; strings
 * have only the escapes they need; one space follows each colon and comma. What is
 * answered from the log is brought into that form, so that an event reads the same
 * wherever it is read.
 */
#ifndef DBK_HTTP_JSON_STORED_H
#define DBK_HTTP_JSON_STORED_H

#include "store/render.h"

/* Render a value. What is not JSON that we read (json_check.h) is rendered as it is.
 * False: no memory; what was rendered then is of no use. */
bool json_stored_render(struct dbk_render *render, struct dbk_slice json);

/* Whether two texts say the same as values: whatever the order of keys, the white space,
 * the escapes in strings and the spelling of numbers (1, 1.0 and 10e-1 are the same;
 * they are compared as decimals, never rounded). False also for what is not JSON, and
 * where memory runs out. */
bool json_same(struct dbk_slice a, struct dbk_slice b);

#endif
