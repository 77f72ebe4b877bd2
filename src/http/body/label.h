/* label.h - a text that names something and is compared to the byte: an external id, an
 * anonymous id, the type of an event. Private to src/http. */
#ifndef DBK_HTTP_LABEL_H
#define DBK_HTTP_LABEL_H

#include "store/slice.h"

#define EXTERNAL_ID_CHARACTERS_MAX 200
#define ANONYMOUS_ID_CHARACTERS_MAX 128

#define LABEL_WHY_MAX 64

/* Whether text is UTF-8 of 1 to characters_max characters (code points), none of them a
 * control character (C0, DEL, C1). False: why says what is expected. */
bool label_valid(struct dbk_slice text, size_t characters_max, char why[LABEL_WHY_MAX]);

#endif
