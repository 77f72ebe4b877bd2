/* map.h - gives memory back that only maps what was read of a file.
 *
 * The log's file is mapped, so each page that is read counts as this process's memory
 * until it is unmapped, though the system could take it back at any time. Whoever walks
 * over a long log would look as large as its file. Private to the store.
 */
#ifndef DBK_MAP_H
#define DBK_MAP_H

/* Unmap the pages of the file mapping that the address lies in; what is read again is
 * mapped again, mostly without any input. Does nothing where it is not known which
 * mapping that is. Safe beside other readers of it. */
void dbk_map_give_back(const void *address);

#endif
