/* fuzz_message.c - whatever lies in the topic: what is taken for a message is written by us as
 * the same bytes; what is not is told why. */
#include "fuzz.h"
#include "message.h"

#include <libdeflate.h>

/* Make the checksum right, for else nothing would come past it. */
static void seal(char *bytes, size_t size)
{
    uint32_t crc;

    if (size < MESSAGE_HEADER)
        return;
    memset(bytes + 64, 0, 4);
    crc = libdeflate_crc32(0, bytes, size);
    for (int i = 0; i < 4; i++)
        bytes[64 + i] = (char)(crc >> (8 * i));
}

static void require_within(struct dbk_slice slice, const char *bytes, size_t size)
{
    require(slice.data >= bytes && slice.data + slice.length <= bytes + size);
}

static void try_one(char *bytes, size_t size)
{
    struct dbk_error err = {0};
    struct message message;
    size_t length;
    char *again;

    if (message_decode(bytes, size, &message, &err) != DBK_OK) {
        require_reason(&err);
        return;
    }
    require_within(message.node, bytes, size);
    require_within(message.url, bytes, size);
    if (message.keys.length > 0)
        require_within(message.keys, bytes, size);
    require_within(message.body, bytes, size);
    require(message_encode(&message, &again, &length, &err) == DBK_OK);
    bytes[6] &= 1; /* flags that nobody knows */
    bytes[7] = 0;
    seal(bytes, size);
    require(length == size && memcmp(again, bytes, size) == 0);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = copy_bytes(data, size);

    try_one(bytes, size);
    free(bytes);
    bytes = copy_bytes(data, size);
    seal(bytes, size);
    try_one(bytes, size);
    free(bytes);
    return 0;
}
