#include "base64.h"

#include <sodium.h>

size_t base64_write(const void *bytes, size_t length, char *out)
{
    size_t size = BASE64_TEXT(length);

    sodium_bin2base64(out, size + 1, bytes, length, sodium_base64_VARIANT_ORIGINAL);
    return size;
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
bool base64_read(struct dbk_slice text, void *out, size_t size, size_t *length)
{
    const char *end = NULL;

    *length = 0;
    return text.length > 0 && text.length % 4 == 0 && is_ascii(text) &&
           sodium_base642bin(out, size, text.data, text.length, NULL, length, &end,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           end == text.data + text.length && *length > 0;
}
