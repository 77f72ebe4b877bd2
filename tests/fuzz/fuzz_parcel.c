/* fuzz_parcel.c - whatever comes as keys of another copy: it is none, or was changed, and that is
 * told; and what is sealed by us is opened as it was. */
#include "fuzz.h"
#include "parcel.h"

#include <sodium.h>

static const uint8_t master[DBK_KEY_BYTES] = {7};

static void try_open(struct dbk_slice parcel)
{
    struct dbk_error err = {0};
    uint8_t *text = NULL;
    uint64_t first;
    uint32_t count;

    if (parcel_open(parcel, master, &text, &err) != DBK_OK) {
        require(text == NULL);
        require_reason(&err);
        return;
    }
    require(dbk_parcel_look(parcel, &first, &count));
    sodium_free(text);
}

/* What would be its keys, sealed. */
static void try_sealed(char *bytes, size_t size)
{
    struct dbk_slice parcel = {bytes, size};
    struct dbk_error err = {0};
    uint64_t first;
    uint32_t count;
    uint8_t *text;
    char *plain;

    if (!dbk_parcel_look(parcel, &first, &count))
        return;
    plain = copy_bytes((const uint8_t *)bytes, size);
    parcel_seal(bytes, master, first, count);
    require(parcel_is_by(parcel, master));
    require(parcel_open(parcel, master, &text, &err) == DBK_OK);
    require(!memcmp(text, parcel_text(plain), DBK_KEY_BYTES * ((size_t)count + 1)));
    sodium_free(text);
    bytes[size - 1] ^= 1;
    require(parcel_open(parcel, master, &text, &err) == DBK_DAMAGED);
    free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = copy_bytes(data, size);

    require(sodium_init() >= 0);
    try_open((struct dbk_slice){bytes, size});
    try_sealed(bytes, size);
    free(bytes);
    return 0;
}
