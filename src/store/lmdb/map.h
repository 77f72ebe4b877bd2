/* map.h - the mapping of the log's file: where it is, and giving memory back that only
 * maps what was read.
 *
 * The log's file is mapped, so each page that is read counts as this process's memory
 * until it is unmapped, though the system could take it back at any time. Whoever walks
 * over a long log would look as large as its file. Private to the store.
 */
#ifndef DBK_STORE_MAP_H
#define DBK_STORE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first mapping of a file of just this size, at `after` or above it: LMDB does not tell
 * where its map is, but how large, and nothing else is. */
bool map_find(size_t size, uintptr_t after, uintptr_t *start, uintptr_t *end);

/* Unmap the pages of the file mapping that the address lies in; what is read again is
 * mapped again, mostly without any input. Does nothing where it is not known which
 * mapping that is. Safe beside other readers of it. */
void map_give_back(const void *address);

#endif
