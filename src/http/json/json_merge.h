/* json_merge.h - a JSON merge patch, applied to the text of an object. Private to src/http.
 * Source: RFC 7396.
 *
 * Members that the patch does not name stay where they are, those it changes stay in their
 * place, new ones come behind, in the patch's order: null takes away, an object merges into
 * an object, whatever else replaces. What is merged is without white space between its
 * parts (json_walk.h, json_compact).
 */
#ifndef DBK_HTTP_JSON_MERGE_H
#define DBK_HTTP_JSON_MERGE_H

#include "store/error.h"
#include "store/slice.h"

/* A dbk_merge (store/command.h). current and patch are objects that json_accept took;
 * current of length 0 is {}. Where nothing changes as a value out receives current as it is;
 * where nothing is left *length is 0. Takes memory in the order of the patch's members;
 * time in that of both texts, but for the patch's keys, which are sorted. Thread-safe.
 *
 * DBK_INVALID    the whole would not fit out, or is over a bound of properties
 *                (json_bounds.h); err says which
 * DBK_NO_MEMORY
 */
enum dbk_code json_merge(struct dbk_slice current, struct dbk_slice patch, char *out,
                         size_t size, size_t *length, struct dbk_error *err);

/* Put under an object what it may have besides: it keeps all its own members, also those
 * that are null, and has those of `under` that it has not; where both have an object of one
 * name, these are merged likewise. Objects as above, `object` of length 0 is {}. out needs
 * as many bytes as both. No bound of properties is looked at. Thread-safe.
 *
 * DBK_TOO_LARGE  out is too small
 * DBK_INVALID    one of them nests deeper than is taken
 * DBK_NO_MEMORY
 */
enum dbk_code json_merge_under(struct dbk_slice under, struct dbk_slice object,
                               char *out, size_t size, size_t *length);

#endif
