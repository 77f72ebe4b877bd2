#include "export_check.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

enum dbk_code export_check_init(struct export_check *check, enum export_format format,
                                struct dbk_error *err)
{
    *check = (struct export_check){.trailer.format = format};
    return digest_create(&check->digest, err);
}

enum dbk_code export_check_count(struct export_check *check, uint64_t sequence,
                                 const char *place, struct dbk_error *err)
{
    struct export_trailer *trailer = &check->trailer;

    assert(trailer->records == trailer->last); /* both count from 1, without a gap */
    if (sequence == trailer->last + 1) {
        trailer->first = 1;
        trailer->last = sequence;
        trailer->records++;
        return DBK_OK;
    }
    if (trailer->records == 0)
        return dbk_fail(err, DBK_DAMAGED,
                        "%s: record %" PRIu64 " where record 1 comes first: this is a "
                        "part of a log, or its beginning is missing",
                        place, sequence);
    return dbk_fail(err, DBK_DAMAGED,
                    "%s: record %" PRIu64 " where record %" PRIu64
                    " comes next: something is missing or was moved",
                    place, sequence, trailer->last + 1);
}

static bool is_trailer(struct export_trailer *trailer, bool whole,
                       struct dbk_slice text)
{
    trailer->whole = whole;
    return export_trailer_fits(trailer, text);
}

enum dbk_code export_check_end(struct export_check *check, struct dbk_slice text,
                               const char *place, struct dbk_error *err)
{
    static const char version[] = "{\"export\":{\"version\":";
    struct export_trailer *trailer = &check->trailer;

    if (digest_hex(check->digest, trailer->sha256, err) != DBK_OK)
        return err->code;
    check->ended = is_trailer(trailer, true, text);
    if (check->ended)
        return DBK_OK;
    if (is_trailer(trailer, false, text))
        return dbk_fail(err, DBK_INVALID,
                        "%s: it was made with --from, --to, --type or --person, or "
                        "--salvage left something out: no log can be made of a part",
                        place);
    if (export_starts(text, version) && text.length > sizeof version &&
        memcmp(text.data + sizeof version - 1, "1,", 2) != 0 &&
        memcmp(text.data + sizeof version - 1, "2,", 2) != 0)
        return dbk_fail(err, DBK_UNSUPPORTED,
                        "%s: the trailer is damaged, or of a newer daybook", place);
    return dbk_fail(err, DBK_DAMAGED,
                    "%s: the trailer does not fit what is before it: one of them was "
                    "changed",
                    place);
}

bool export_starts(struct dbk_slice text, const char *with)
{
    size_t length = strlen(with);

    return text.length >= length && !memcmp(text.data, with, length);
}
