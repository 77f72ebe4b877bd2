/* email.h - what an email address may look like. Private to src/http. */
#ifndef DBK_HTTP_EMAIL_H
#define DBK_HTTP_EMAIL_H

#include "store/slice.h"

/* Whether HTML's <input type=email> would take it, and it has at most 254 bytes (the
 * longest that fits a path of SMTP: RFC 5321, section 4.5.3.1.3, less its brackets).
 * Source: https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address
 *
 *   /^[a-zA-Z0-9.!#$%&'*+\/=?^_`{|}~-]+@[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?
 *    (?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/
 */
bool email_valid(struct dbk_slice text);

#endif
