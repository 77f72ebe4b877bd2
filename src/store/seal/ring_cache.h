/* ring_cache.h - keys that were unwrapped, by number: at most RING_CACHED, in memory that is
 * neither swapped nor dumped. Safe to share between threads. */
#ifndef DBK_STORE_RING_CACHE_H
#define DBK_STORE_RING_CACHE_H

#include "store/keys.h"

enum { RING_CACHED = 65536 };

struct ring_cache;

/* NULL: no memory. */
struct ring_cache *ring_cache_create(void);
/* Wiped. NULL is fine. */
void ring_cache_destroy(struct ring_cache *cache);

/* False: it is not there. */
bool ring_cache_find(struct ring_cache *cache, uint64_t number,
                     uint8_t key[DBK_KEY_BYTES]);
/* In the place of another number's, where there is one. */
void ring_cache_keep(struct ring_cache *cache, uint64_t number,
                     const uint8_t key[DBK_KEY_BYTES]);
void ring_cache_drop(struct ring_cache *cache, uint64_t number);
void ring_cache_clear(struct ring_cache *cache);

#endif
