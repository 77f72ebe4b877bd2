/* etag.h - entity tags: of which version an answer is, and what a client holds.
 *
 * A person's tag is "<version>-<checksum><hash of the JSON>" where it is read, as the answer
 * also has the person's events, which move without the version; and "<version>-<checksum>"
 * where it was just written. The checksum is that of the record which the version is the
 * sequence of: after a log was put back the same number can be another state. If-Match is
 * about version and checksum, and takes both, and tags without a checksum, as events have
 * and persons had; so is If-None-Match on a write; on a read it compares whole tags. A tag of
 * any other shape is nobody's, and matches nothing. An
 * answer that has a coding has its name at the end of the tag, behind a dash, which is not
 * looked at: it is the same version. Source: RFC 9110, sections 8.8.3, 13.1.1 and 13.1.2.
 */
#ifndef DBK_HTTP_ETAG_H
#define DBK_HTTP_ETAG_H

#include "store/error.h"
#include "store/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ETAG_MAX 48
#define ETAG_VERSIONS_MAX 16

/* With its quotes. content of length 0: the version only; version 0: the hash only. */
void etag_format(char out[ETAG_MAX], uint64_t version, struct dbk_slice content);
/* The same with a version, and the checksum of its record. */
void etag_format_record(char out[ETAG_MAX], uint64_t version, uint32_t checksum,
                        struct dbk_slice content);

struct etag_versions {
    bool any; /* no header, or * : every version will do */
    size_t count;
    struct etag_version {
        uint64_t version;
        bool has_checksum;
        uint32_t checksum;
    } list[ETAG_VERSIONS_MAX]; /* of its strong tags that are ours */
};

/* header may be NULL. DBK_INVALID: not a list of entity tags, or more than 16. */
enum dbk_code etag_if_match(const char *header, struct etag_versions *versions,
                            struct dbk_error *err);
/* The same of If-None-Match on a write, where weak tags count, too. Not NULL. */
enum dbk_code etag_excluded(const char *header, struct etag_versions *versions,
                            struct dbk_error *err);
/* checksum: of the record `version`; compared where a tag has one. */
bool etag_matches(const struct etag_versions *versions, uint64_t version,
                  uint32_t checksum);

/* Whether If-None-Match (may be NULL) has this tag, so that 304 will do. */
bool etag_if_none_match(const char *header, const char *tag);

#endif
