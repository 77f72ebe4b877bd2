#include "json_base64.h"

#include <sodium.h>

enum { PIECE = 3 * 1024 }; /* bytes that are encoded at once */

/* By pieces of whole groups, for a thread's stack is small. */
void json_base64_render(struct dbk_render *out, struct dbk_slice bytes)
{
    char text[sodium_base64_ENCODED_LEN(PIECE, sodium_base64_VARIANT_ORIGINAL)];

    dbk_render_text(out, "\"");
    for (size_t at = 0, length; at < bytes.length; at += length) {
        length = bytes.length - at < PIECE ? bytes.length - at : PIECE;
        sodium_bin2base64(text, sizeof text, (const unsigned char *)bytes.data + at,
                          length, sodium_base64_VARIANT_ORIGINAL);
        dbk_render_text(out, text);
    }
    dbk_render_text(out, "\"");
}

/* libsodium 1.0.18 takes some bytes behind ASCII for digits. */
static bool is_ascii(struct dbk_slice text)
{
    for (size_t i = 0; i < text.length; i++) {
        if ((unsigned char)text.data[i] > 0x7F)
            return false;
    }
    return true;
}

/* It refuses bits that are left over, and padding that is missing. */
bool json_base64_read(struct dbk_slice text, char *out, size_t *length)
{
    const char *end = NULL;

    *length = 0;
    return is_ascii(text) &&
           sodium_base642bin((unsigned char *)out, text.length, text.data, text.length,
                             NULL, length, &end, sodium_base64_VARIANT_ORIGINAL) == 0 &&
           end == text.data + text.length;
}
