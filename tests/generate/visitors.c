#include "visitors.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct dbk_uuid nil;

static void forget_events(struct visitors *visitors, const struct visitor *visitor)
{
    for (size_t i = 0; i < VISITORS_RECENT; i++) {
        if (visitors->recent[i].visitor == visitor)
            visitors->recent[i].event = nil;
    }
}

struct visitor *visitors_pick(struct visitors *visitors, struct random *random)
{
    struct visitor *visitor = &visitors->list[random_below(random, VISITORS)];
    bool leaves = random_below(random, 50) == 0 && dbk_uuid_is_nil(&visitor->owner);

    if (visitor->anonymous_id[0] && !leaves)
        return visitor;
    forget_events(visitors, visitor);
    snprintf(visitor->anonymous_id, sizeof visitor->anonymous_id,
             "visiteur n\xC2\xBA%" PRIu64, visitors->made++);
    return visitor;
}

void visitors_recorded(struct visitors *visitors, const struct dbk_uuid *event,
                       struct visitor *visitor)
{
    size_t at = visitors->recorded++ % VISITORS_RECENT;

    visitors->recent[at].event = *event;
    visitors->recent[at].visitor = visitor;
}

bool visitors_take_event(struct visitors *visitors, struct random *random,
                         struct dbk_uuid *event, struct dbk_uuid *owner)
{
    size_t at = (size_t)random_below(random, VISITORS_RECENT);

    if (dbk_uuid_is_nil(&visitors->recent[at].event))
        return false;
    *event = visitors->recent[at].event;
    *owner = visitors->recent[at].visitor->owner;
    visitors->recent[at].event = nil;
    return true;
}

void visitors_end(struct visitors *visitors, const struct dbk_uuid *person)
{
    for (size_t i = 0; i < VISITORS; i++) {
        struct visitor *visitor = &visitors->list[i];

        if (!dbk_uuid_equal(&visitor->owner, person))
            continue;
        visitor->owner = nil;
        forget_events(visitors, visitor);
    }
}
