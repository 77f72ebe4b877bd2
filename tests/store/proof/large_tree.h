/* large_tree.h - one tree of many entries, for all tests of a program that only ask it. */
#ifndef LARGE_TREE_H
#define LARGE_TREE_H

#include "made_entries.h"

enum { LARGE = 70000 };

static struct dbk_tree *large; /* of so many entries, for who only asks */

static inline int make_large(void **state)
{
    (void)state;
    large = made_tree(LARGE);
    return 0;
}

static inline int drop_large(void **state)
{
    (void)state;
    dbk_tree_destroy(large);
    return 0;
}

#endif
