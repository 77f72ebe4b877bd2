/* post_claims.h - whose certain anonymous ids are, as a walk over the log goes on: those that
 * are in quarantine, and those that persons in quarantine have ever had. */
#ifndef DBK_PROJECTIONS_POST_CLAIMS_H
#define DBK_PROJECTIONS_POST_CLAIMS_H

#include "anonymous_key.h"
#include "fold_index.h"
#include "store/record.h"

struct post_claim {
    char anonymous_id[DBK_ANONYMOUS_ID_MAX + 1];
    struct dbk_uuid owner; /* nil: nobody */
    uint64_t gone; /* events up to this record went with a person; 0: none did */
};

struct post_claims {
    struct post_claim *list;
    size_t count, size;
    struct fold_index index;  /* by the keys of anonymous ids */
    struct fold_index owners; /* persons who have had one of them */
    struct anonymous_secret secret;
};

void post_claims_init(struct post_claims *claims);
void post_claims_finish(struct post_claims *claims);
void post_claims_clear(struct post_claims *claims); /* the memory stays */

/* Its place in the list. False where it is not followed. */
bool post_claims_find(const struct post_claims *claims, struct dbk_slice anonymous_id,
                      size_t *place);
/* Follow one from here on. False when out of memory. */
bool post_claims_add(struct post_claims *claims, struct dbk_slice anonymous_id);
/* The next record of the log. False when out of memory. */
bool post_claims_note(struct post_claims *claims, const struct dbk_record *record);

#endif
