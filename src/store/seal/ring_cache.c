/* A number has one place, by its lowest bits: numbers rise, so that those of the newest are
 * all there. */
#include "ring_cache.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

enum { STRIPES = 64 };

struct entry {
    uint64_t number; /* 0: none */
    uint8_t key[DBK_KEY_BYTES];
};

struct ring_cache {
    struct stripe {
        pthread_mutex_t mutex; /* guards each STRIPES-th entry */
        char apart[64];        /* from the next one's cache line */
    } stripes[STRIPES];
    struct entry *entries;
};

struct ring_cache *ring_cache_create(void)
{
    struct ring_cache *cache = calloc(1, sizeof *cache);

    if (!cache)
        return NULL;
    cache->entries = sodium_allocarray(RING_CACHED, sizeof *cache->entries);
    if (!cache->entries) {
        free(cache);
        return NULL;
    }
    sodium_memzero(cache->entries, RING_CACHED * sizeof *cache->entries);
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_init(&cache->stripes[i].mutex, NULL);
    return cache;
}

void ring_cache_destroy(struct ring_cache *cache)
{
    if (!cache)
        return;
    for (size_t i = 0; i < STRIPES; i++)
        pthread_mutex_destroy(&cache->stripes[i].mutex);
    sodium_free(cache->entries); /* which wipes it */
    free(cache);
}

static struct entry *lock_entry(struct ring_cache *cache, uint64_t number)
{
    pthread_mutex_lock(&cache->stripes[number % STRIPES].mutex);
    return &cache->entries[number % RING_CACHED];
}

static void unlock_entry(struct ring_cache *cache, uint64_t number)
{
    pthread_mutex_unlock(&cache->stripes[number % STRIPES].mutex);
}

bool ring_cache_find(struct ring_cache *cache, uint64_t number,
                     uint8_t key[DBK_KEY_BYTES])
{
    const struct entry *entry = lock_entry(cache, number);
    bool found = entry->number == number && number != 0;

    if (found)
        memcpy(key, entry->key, DBK_KEY_BYTES);
    unlock_entry(cache, number);
    return found;
}

void ring_cache_keep(struct ring_cache *cache, uint64_t number,
                     const uint8_t key[DBK_KEY_BYTES])
{
    struct entry *entry = lock_entry(cache, number);

    entry->number = number;
    memcpy(entry->key, key, DBK_KEY_BYTES);
    unlock_entry(cache, number);
}

void ring_cache_drop(struct ring_cache *cache, uint64_t number)
{
    struct entry *entry = lock_entry(cache, number);

    if (entry->number == number)
        sodium_memzero(entry, sizeof *entry);
    unlock_entry(cache, number);
}

void ring_cache_clear(struct ring_cache *cache)
{
    for (size_t i = 0; i < STRIPES; i++) {
        pthread_mutex_lock(&cache->stripes[i].mutex);
        for (size_t at = i; at < RING_CACHED; at += STRIPES)
            sodium_memzero(&cache->entries[at], sizeof *cache->entries);
        pthread_mutex_unlock(&cache->stripes[i].mutex);
    }
}
