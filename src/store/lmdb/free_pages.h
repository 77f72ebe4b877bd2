/* free_pages.h - the list of free pages in LMDB's file, read page by page.
 *
 * LMDB itself can read it only through its map, where a page past the file's end ends the
 * process. Private to data_file.c. */
#ifndef DBK_STORE_FREE_PAGES_H
#define DBK_STORE_FREE_PAGES_H

#include <stdbool.h>
#include <stdint.h>

/* Whether all pages from first to last are in the list whose tree begins at page root. A
 * list that cannot be read has nothing. Only reads, and whatever is in the file ends. */
bool free_pages_have(int fd, uint32_t page_size, uint64_t root, uint64_t first,
                     uint64_t last);

#endif
