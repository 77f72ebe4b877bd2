/* run_format.h - what run.c reads and run_write.c writes. Private to them. */
#ifndef DBK_STORE_RUN_FORMAT_H
#define DBK_STORE_RUN_FORMAT_H

#include "run.h"

#include <libdeflate.h>
#include <string.h>

#define RUN_MAGIC "DBKHIST1"

enum {
    RUN_CHECK = 4,                                /* bytes of a checksum */
    RUN_FILLED = RUN_BLOCK - RUN_CHECK,           /* bytes of a block before it */
    RUN_ENTRY_HEAD = sizeof(struct dbk_uuid) + 2, /* id and length */
    RUN_NUMBER_MAX = 10,                          /* bytes of a LEB128 */
};

/* The first block, but for its checksum. */
struct run_head {
    char magic[8];
    struct dbk_uuid store_id;
    uint64_t after, to, blocks, pairs;
    uint32_t checksum, unused;
};

static inline uint32_t run_check(const char block[RUN_BLOCK])
{
    return libdeflate_crc32(0, block, RUN_FILLED);
}

#endif
