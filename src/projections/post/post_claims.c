#include "post_claims.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void post_claims_init(struct post_claims *claims)
{
    *claims = (struct post_claims){0};
    fold_index_init(&claims->index);
    fold_index_init(&claims->owners);
    anonymous_secret_init(&claims->secret);
}

void post_claims_finish(struct post_claims *claims)
{
    free(claims->list);
    fold_index_finish(&claims->index);
    fold_index_finish(&claims->owners);
}

void post_claims_clear(struct post_claims *claims)
{
    claims->count = 0;
    fold_index_clear(&claims->index);
    fold_index_clear(&claims->owners);
}

bool post_claims_find(const struct post_claims *claims, struct dbk_slice anonymous_id,
                      size_t *place)
{
    struct dbk_uuid key = anonymous_key(&claims->secret, anonymous_id);

    return fold_index_find(&claims->index, &key, place);
}

static bool grow(struct post_claims *claims)
{
    size_t size = claims->size ? claims->size * 2 : 16;
    struct post_claim *grown;

    if (claims->count < claims->size)
        return true;
    grown = realloc(claims->list, size * sizeof *grown);
    if (!grown)
        return false;
    claims->list = grown;
    claims->size = size;
    return true;
}

bool post_claims_add(struct post_claims *claims, struct dbk_slice anonymous_id)
{
    struct dbk_uuid key = anonymous_key(&claims->secret, anonymous_id);
    struct post_claim *claim;

    assert(anonymous_id.length < sizeof claim->anonymous_id); /* decoding bounds it */
    if (fold_index_find(&claims->index, &key, NULL))
        return true;
    if (!grow(claims) || !fold_index_add(&claims->index, &key, claims->count))
        return false;
    claim = &claims->list[claims->count++];
    *claim = (struct post_claim){0};
    memcpy(claim->anonymous_id, anonymous_id.data, anonymous_id.length);
    return true;
}

/* What the person had goes along. */
static void note_deleted(struct post_claims *claims, const struct dbk_record *record)
{
    if (!fold_index_find(&claims->owners, &record->subject, NULL))
        return;
    for (size_t i = 0; i < claims->count; i++) {
        struct post_claim *claim = &claims->list[i];

        if (!dbk_uuid_equal(&claim->owner, &record->subject))
            continue;
        claim->owner = (struct dbk_uuid){{0}};
        claim->gone = record->sequence;
    }
}

bool post_claims_note(struct post_claims *claims, const struct dbk_record *record)
{
    struct post_claim *claim;
    size_t place;

    if (record->type == DBK_PERSON_DELETED || record->type == DBK_PERSON_ERASED)
        note_deleted(claims, record);
    if (record->type != DBK_PERSON_ALIASED && record->type != DBK_PERSON_UNALIASED)
        return true;
    if (!post_claims_find(claims, record->anonymous_id, &place))
        return true;
    assert(place < claims->count);
    claim = &claims->list[place];
    if (record->type == DBK_PERSON_UNALIASED) {
        claim->owner = (struct dbk_uuid){{0}};
        return true;
    }
    claim->owner = record->subject;
    return fold_index_put(&claims->owners, &record->subject);
}
