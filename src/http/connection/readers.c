#include "readers.h"

#include "store/clock.h"

#include <assert.h>
#include <string.h>

static unsigned part(unsigned threads, unsigned quarters)
{
    unsigned most = threads * quarters / 4;

    return most > 0 ? most : 1;
}

void readers_init(struct readers *readers, unsigned threads)
{
    memset(readers, 0, sizeof *readers);
    pthread_mutex_init(&readers->mutex, NULL);
    readers->last = &readers->waiting;
    readers->most = part(threads, 3);
    readers->lists_most = part(threads, 2);
    readers->client_most = part(threads, 1);
}

void readers_finish(struct readers *readers)
{
    assert(!readers->first && !readers->waiting); /* each would leave what is gone */
    pthread_mutex_destroy(&readers->mutex);
}

/* With the mutex held, as all that follow. */
static unsigned lists_of(const struct readers *readers, uint64_t client)
{
    unsigned count = 0;

    for (const struct reader *one = readers->first; one; one = one->next)
        count += one->lists && one->client == client;
    return count;
}

static enum readers_verdict decide(const struct readers *readers,
                                   const struct reader *reader)
{
    if (reader->lists && lists_of(readers, reader->client) >= readers->client_most)
        return READERS_SHARE;
    if (readers->count >= readers->most ||
        (reader->lists && readers->lists >= readers->lists_most))
        return READERS_FULL;
    return READERS_IN;
}

static void count_in(struct readers *readers, struct reader *reader)
{
    reader->counted = true;
    reader->next = readers->first;
    reader->link = &readers->first;
    if (reader->next)
        reader->next->link = &reader->next;
    readers->first = reader;
    readers->count++;
    readers->lists += reader->lists;
}

static void unlink_reader(struct readers *readers, struct reader *reader)
{
    *reader->link = reader->next;
    if (reader->next)
        reader->next->link = reader->link;
    else if (!reader->counted)
        readers->last = reader->link;
    reader->link = NULL;
}

/* The first of those who wait that may come in. */
static void let_in(struct readers *readers)
{
    struct reader *one = readers->waiting;

    while (one && decide(readers, one) != READERS_IN)
        one = one->next;
    if (!one)
        return;
    unlink_reader(readers, one);
    count_in(readers, one);
    pthread_cond_signal(&one->served);
}

static void wait_a_moment(struct readers *readers, struct reader *reader)
{
    dbk_deadline until = dbk_deadline_in(READERS_WAIT_MS);

    dbk_cond_init(&reader->served);
    reader->next = NULL;
    reader->link = readers->last;
    *readers->last = reader;
    readers->last = &reader->next;
    while (!reader->counted && dbk_cond_wait(&reader->served, &readers->mutex, until))
        ;
    if (!reader->counted)
        unlink_reader(readers, reader);
    pthread_cond_destroy(&reader->served);
}

enum readers_verdict readers_enter(struct readers *readers, struct reader *reader,
                                   uint64_t client, bool lists)
{
    enum readers_verdict verdict;

    if (reader->counted)
        return READERS_IN;
    reader->client = client;
    reader->lists = lists;
    pthread_mutex_lock(&readers->mutex);
    verdict = decide(readers, reader);
    if (verdict == READERS_IN)
        count_in(readers, reader);
    else
        wait_a_moment(readers, reader);
    if (reader->counted)
        verdict = READERS_IN;
    pthread_mutex_unlock(&readers->mutex);
    return verdict;
}

unsigned readers_count(struct readers *readers)
{
    unsigned count;

    pthread_mutex_lock(&readers->mutex);
    count = readers->count;
    for (const struct reader *one = readers->waiting; one; one = one->next)
        count++;
    pthread_mutex_unlock(&readers->mutex);
    return count;
}

void readers_leave(struct readers *readers, struct reader *reader)
{
    if (!reader->counted)
        return;
    pthread_mutex_lock(&readers->mutex);
    unlink_reader(readers, reader);
    reader->counted = false;
    readers->count--;
    readers->lists -= reader->lists;
    let_in(readers);
    pthread_mutex_unlock(&readers->mutex);
}
