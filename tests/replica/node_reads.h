/* node_reads.h - what nodes have read, and what is written to them. */
#ifndef TEST_NODE_READS_H
#define TEST_NODE_READS_H

#include "nodes.h"
#include "store/scratch_log.h"
#include "stream.h"

#include <errno.h>
#include <lmdb.h>
#include <stdatomic.h>

enum { PRODUCE = 0 }; /* Kafka's number of the request */

/* Refused at once, while the log reads what came between, is not appended. */
static inline void write_ok(struct node *node)
{
    struct dbk_error *err = &node->cluster->err;
    dbk_deadline deadline = dbk_deadline_in(WAIT_MS);
    enum dbk_code code;

    while ((code = node_write(node, err)) == DBK_NOT_LEADER &&
           dbk_deadline_left(deadline) > 0)
        dbk_sleep_ms(5);
    if (code != DBK_OK)
        fail_msg("%s\n%s", err->text, node->lines);
}

static inline struct message tokens(struct node *node, const char *changes)
{
    return (struct message){.type = MESSAGE_TOKENS,
                            .epoch = -1,
                            .store_id = node->store_id,
                            .reseed = -1,
                            .body = dbk_slice(changes)};
}

struct openings {
    struct node *node;
    uint64_t count;
};

#endif
