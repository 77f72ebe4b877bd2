/* json_base64.h - bytes as a JSON string, in base64 (RFC 4648, section 4: with padding), and
 * back. Thread-safe. */
#ifndef DBK_HTTP_JSON_BASE64_H
#define DBK_HTTP_JSON_BASE64_H

#include "store/render.h"
#include "store/slice.h"

void json_base64_render(struct dbk_render *out, struct dbk_slice bytes);

/* Read what stands between the quotes into out, which has as many bytes as text; *length
 * receives how many they are. False: it is no base64, or not in the one way in which these
 * bytes are written. */
bool json_base64_read(struct dbk_slice text, char *out, size_t *length);

#endif
