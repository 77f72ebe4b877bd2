/* name.h - what a person's first or last name may be. Private to src/http. */
#ifndef DBK_HTTP_NAME_H
#define DBK_HTTP_NAME_H

#include "store/slice.h"

#define NAME_CHARACTERS_MAX 100

/* Trim white space (Unicode's White_Space) off text, which must be UTF-8; *name points
 * into it. NULL where the rest is a name: 1 to 100 characters (code points), none of
 * them a control character or a line or paragraph separator. Else what is expected, as
 * a sentence for the client; static. */
const char *name_trim(struct dbk_slice text, struct dbk_slice *name);

#endif
