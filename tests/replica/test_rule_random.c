/* Whoever leads, is deposed or loses what brokers had: all read the same. */
#include "rule.h"

#include "generate/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* What follows is a whole cluster of logs, each of which holds numbers for records. */
enum { NODES = 4, MESSAGES = 6000, RECORDS = 20000, BATCH = 4, ROUNDS = 40 };

struct sent {
    struct message message;
    uint32_t records[BATCH];
};

struct node {
    uint32_t records[RECORDS]; /* at sequence - 1 */
    struct rule_log log;
    int64_t opened; /* its opening, while it believes to lead; -1 */
    int64_t doubt;  /* its batch that it must read before it writes another */
    bool halted;
};

struct world {
    struct random random;
    struct sent stream[MESSAGES];
    int64_t end;
    struct node nodes[NODES];
    struct sent late; /* of a leader: on its way */
    uint32_t made;
    uint32_t acknowledged[RECORDS]; /* at sequence - 1; 0: not */
    int halts, voids, overlaps, openings, doubts;
};

static uint32_t checksum_of(const struct node *node, uint64_t sequence)
{
    return sequence == 0 ? 0 : node->records[sequence - 1];
}

static void append(struct node *node, const uint32_t *records, uint32_t count)
{
    memcpy(node->records + node->log.head, records, count * sizeof *records);
    node->log.head += count;
    node->log.checksum = checksum_of(node, node->log.head);
}

static int64_t put(struct world *w, const struct sent *sent)
{
    w->stream[w->end] = *sent;
    return w->end++;
}

static void read_one(struct world *w, struct node *node)
{
    const int64_t offset = node->log.place.next;
    const struct sent *sent = &w->stream[offset];
    struct rule_answer answer =
        rule_read(&node->log, offset, &sent->message,
                  checksum_of(node, rule_asks(&node->log, offset, &sent->message)));

    if (answer.verdict == RULE_HALT) {
        w->halts++;
        node->halted = true;
        return;
    }
    if (answer.verdict == RULE_OVERLAP) {
        assert_memory_equal(sent->records, node->records + sent->message.first - 1,
                            answer.known * sizeof *sent->records);
        append(node, sent->records + answer.known, sent->message.count - answer.known);
        w->overlaps++;
    }
    if (answer.verdict == RULE_APPEND)
        append(node, sent->records, sent->message.count);
    if (answer.verdict == RULE_OPEN && offset != node->opened)
        node->opened = -1;
    w->voids += answer.verdict == RULE_VOID;
    w->openings += answer.verdict == RULE_OPEN;
    node->log.place = answer.place;
}

static void read_some(struct world *w, struct node *node, uint64_t most)
{
    while (most-- > 0 && !node->halted && node->log.place.next < w->end)
        read_one(w, node);
}

static struct sent opening_of(const struct node *node)
{
    return (struct sent){.message = {.type = MESSAGE_OPENING,
                                     .epoch = -1,
                                     .first = node->log.head,
                                     .before = node->log.checksum,
                                     .reseed = node->log.place.reseed}};
}

/* As a leader does, also one that was deposed and does not know it. */
static void write_batch(struct world *w, struct node *node)
{
    struct sent sent = {.message = {.type = MESSAGE_BATCH,
                                    .epoch = node->opened,
                                    .first = node->log.head + 1,
                                    .before = node->log.checksum,
                                    .reseed = node->log.place.reseed}};
    int64_t offset;

    if (node->opened < 0 || node->log.place.epoch != node->opened || node->halted ||
        node->doubt >= node->log.place.next)
        return;
    sent.message.count = 1 + (uint32_t)random_below(&w->random, BATCH);
    for (uint32_t i = 0; i < sent.message.count; i++)
        sent.records[i] = ++w->made;
    if (random_below(&w->random, 20) == 0) { /* it arrives when nobody asks any more */
        w->late = sent;
        node->opened = -1;
        return;
    }
    offset = put(w, &sent);
    if (offset != node->log.place.next) { /* in doubt: the stream will tell */
        w->doubts++;
        node->doubt = offset;
        return;
    }
    memcpy(w->acknowledged + node->log.head, sent.records,
           sent.message.count * sizeof *sent.records);
    append(node, sent.records, sent.message.count);
    node->log.place.next = offset + 1;
}

static void step(struct world *w)
{
    struct node *node = &w->nodes[random_below(&w->random, NODES)];
    struct sent sent;

    switch (random_below(&w->random, 12)) {
    case 0:
        if (node->halted)
            break;
        sent = opening_of(node);
        node->opened = put(w, &sent);
        break;
    case 1:
        if (w->late.message.type == MESSAGE_BATCH)
            put(w, &w->late);
        w->late.message.type = MESSAGE_GENESIS;
        break;
    case 2:
    case 3:
    case 4:
        read_some(w, node, random_below(&w->random, 30));
        break;
    default:
        write_batch(w, node);
    }
}

static void assert_copies_equal(struct world *w)
{
    uint64_t head = w->nodes[0].log.head;

    for (int i = 0; i < NODES; i++) {
        assert_false(w->nodes[i].halted);
        assert_int_equal(w->nodes[i].log.head, head);
        assert_memory_equal(w->nodes[i].records, w->nodes[0].records,
                            head * sizeof(uint32_t));
    }
    for (uint64_t i = 0; i < RECORDS; i++)
        assert_true(w->acknowledged[i] == 0 ||
                    w->acknowledged[i] == w->nodes[0].records[i]);
}

static struct world *world_of(uint64_t seed)
{
    struct world *w = calloc(1, sizeof *w);

    w->random.state = seed;
    for (int i = 0; i < NODES; i++) {
        w->nodes[i].log.place = (struct dbk_place){0, -1, -1};
        w->nodes[i].opened = w->nodes[i].doubt = -1;
    }
    return w;
}

static void all_read_the_same_whoever_leads_and_was_deposed(void **state)
{
    int voids = 0, doubts = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct world *w = world_of(seed);

        while (w->end < MESSAGES - NODES)
            step(w);
        for (int i = 0; i < NODES; i++)
            read_some(w, &w->nodes[i], MESSAGES);
        assert_copies_equal(w);
        assert_int_equal(w->halts, 0);
        voids += w->voids;
        doubts += w->doubts;
        free(w);
    }
    assert_true(voids > 100 && doubts > 100);
}

/* The brokers lose their end. Whoever is ahead opens, so that nobody goes on without it. */
static void lose_the_end(struct world *w)
{
    int64_t lost = 1 + (int64_t)random_below(&w->random, 40);
    struct node *most = &w->nodes[0];
    struct sent sent;

    for (int i = 1; i < NODES; i++)
        if (w->nodes[i].log.head > most->log.head)
            most = &w->nodes[i];
    w->end = lost < w->end ? w->end - lost : 0;
    for (int i = 0; i < NODES; i++) {
        struct node *node = &w->nodes[i];
        if (node->log.place.next > w->end)
            node->halted = true;
        node->opened = node->doubt = -1;
    }
    w->late.message.type = MESSAGE_GENESIS;
    if (!most->halted)
        return; /* nothing that anybody has is lost */
    sent = opening_of(most);
    put(w, &sent);
    for (int i = 0; i < NODES; i++)
        read_some(w, &w->nodes[i], MESSAGES);
}

/* What the log that has the most does: by the rule the stream ends with record T. */
static void put_right(struct world *w)
{
    struct node reader = {.log = {{0, -1, -1}, 0, 0}}, *most = &w->nodes[0];
    struct sent sent = {
        .message = {.type = MESSAGE_OPENING, .reseeds = true, .epoch = -1}};
    int64_t at;

    for (int i = 1; i < NODES; i++)
        if (w->nodes[i].log.head > most->log.head)
            most = &w->nodes[i];
    while (reader.log.place.next < w->end) {
        read_one(w, &reader);
        if (reader.halted) { /* what nobody reads as a copy, nobody wrote behind */
            reader.log.place.next++;
            reader.halted = false;
        }
    }
    assert_memory_equal(reader.records, most->records,
                        reader.log.head * sizeof(uint32_t));
    sent.message.first = reader.log.head;
    sent.message.before = reader.log.checksum;
    sent.message.reseed = reader.log.place.reseed;
    at = put(w, &sent);
    for (uint64_t next = reader.log.head; next < most->log.head; next++) {
        struct sent again = {.message = {.type = MESSAGE_BATCH,
                                         .epoch = at,
                                         .first = next + 1,
                                         .count = 1,
                                         .before = checksum_of(most, next),
                                         .reseed = at},
                             .records = {most->records[next]}};
        put(w, &again);
    }
    for (int i = 0; i < NODES; i++) {
        struct node *node = &w->nodes[i];

        if (!node->halted)
            continue;
        assert_true(rule_rejoins(&node->log, at, &w->stream[at].message,
                                 checksum_of(node, sent.message.first)));
        /* Not the epoch that was known: its offset may be another's opening now. */
        node->log.place = (struct dbk_place){at, -1, node->log.place.reseed};
        node->halted = false;
    }
}

static void what_brokers_lost_is_put_right_by_who_has_the_most(void **state)
{
    int halts = 0, overlaps = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        struct world *w = world_of(seed * 7919);

        while (w->end < MESSAGES / 2) {
            int64_t until = w->end + 200;

            while (w->end < until)
                step(w);
            lose_the_end(w);
            put_right(w);
        }
        for (int i = 0; i < NODES; i++)
            read_some(w, &w->nodes[i], MESSAGES);
        assert_copies_equal(w);
        halts += w->halts;
        overlaps += w->overlaps;
        free(w);
    }
    assert_true(halts > 100 && overlaps > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_read_the_same_whoever_leads_and_was_deposed),
        cmocka_unit_test(what_brokers_lost_is_put_right_by_who_has_the_most),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
