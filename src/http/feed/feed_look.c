/* What the log says now that decides what streams are given. */
#include "feed_private.h"
#include "store/keys_used.h"

void feed_none_is_live(struct feed *feed)
{
    for (unsigned i = 0; i < feed->list_count; i++)
        feed->list[i]->live = false;
}

/* All of it follows from the records up to the head, and what is read may only be newer. */
static bool look_again(struct feed *feed, uint64_t head)
{
    struct dbk_log *log = feed->options.log;
    struct dbk_keys_used used;

    if (dbk_log_keys_used(log, &used, NULL) != DBK_OK ||
        dbk_log_restricted_all(log, &feed->withheld, NULL) != DBK_OK)
        return false;
    feed->erased = used.erased;
    feed->looked_head = head;
    return true;
}

bool feed_look(struct feed *feed)
{
    uint64_t head;

    if (dbk_log_head(feed->options.log, &head, NULL) != DBK_OK)
        return false;
    if (head > feed->head)
        feed->head = head;
    if (!feed->knows || head != feed->looked_head)
        feed->knows = look_again(feed, head);
    /* Also where nothing is new: the ring may have been put back. */
    if (feed->knows && ring_forget(feed->ring, feed->erased))
        feed_none_is_live(feed);
    return feed->knows;
}
