/* Many logs, each with copies of its own, that keep what no log can keep alone: that a name is
 * one living person's.
 *
 * Persons are in shards by their id; names are claimed in shards of their own. Who is created
 * claims its name there, is created in its own shard, and then holds the name. Where that is
 * broken off, a resolver asks the person's shard, which refuses that person for ever unless it
 * is there already (the fence): so the name can be freed, whatever is still on its way.
 * docs/scale.md tells it in full.
 *
 * Each shard is a stream and three nodes that read it by the rule. Leaders are deposed, frozen,
 * killed; their batches arrive late, or unanswered; clients go away between two steps.
 *
 * DAYBOOK_SHARDS and DAYBOOK_STEPS set the size, DAYBOOK_SEED repeats a run.
 */
#include "rule.h"

#include "generate/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    NODES = 3,
    CANON = NODES, /* one that has read all there is: what is true */
    NAMES_PER_SHARD = 8,
    NAME_SHARD_EACH = 4 /* one in so many shards is of names */
};

enum kind { CREATED, REFUSED, DELETED, CLAIMED, HELD, FREED };

struct fact {
    enum kind kind;
    uint32_t person, name, checksum;
};

struct posted { /* a message with one record, or an opening */
    struct message message;
    struct fact fact;
};

/* What a shard knows: of a person, or of a name. */
enum { NOBODY, PENDING, HOLDS, LIVES, IS_REFUSED, IS_DELETED };
struct known {
    uint32_t person; /* of a name: who */
    int is;
};

struct copy {
    struct rule_log log;
    struct fact *facts;
    struct known *known;
    int64_t opened; /* its opening, while it believes to lead; -1 */
    int64_t doubt;
    uint64_t frozen_until; /* step */
};

struct shard {
    struct copy copies[NODES + 1];
    struct posted *stream;
    int64_t end, size;
    struct posted late; /* on its way since its sender was deposed, killed or cut off */
    bool has_late;
    uint32_t *promised; /* checksum at sequence - 1 of what was acknowledged; 0: not */
};

/* A person in the making, or being deleted. */
struct saga {
    bool busy, deleting;
    uint32_t person, name;
    int step;
};

struct world {
    struct random random;
    uint64_t step;
    uint32_t shards, name_shards, persons, persons_max, names, made, sagas_count;
    struct shard *list;
    struct saga *sagas;
    uint32_t *living;  /* a name: how many persons have it, in truth */
    uint8_t *promised; /* a person: 1, its creation was acknowledged; 2, its deletion */
    uint32_t *name_of;
    bool fence;
    uint64_t twice, voids, doubts, openings, created, abandoned, freed, acknowledged;
};

/* Name shards come first. */
static struct shard *shard_of_name(struct world *w, uint32_t name)
{
    return &w->list[name % w->name_shards];
}

static struct shard *shard_of_person(struct world *w, uint32_t person)
{
    return &w->list[w->name_shards + person % (w->shards - w->name_shards)];
}

static bool is_of_names(enum kind kind)
{
    return kind >= CLAIMED;
}

static uint32_t index_of(const struct world *w, const struct fact *fact)
{
    return is_of_names(fact->kind) ? fact->name / w->name_shards
                                   : fact->person / (w->shards - w->name_shards);
}

static void learn(struct world *w, struct copy *copy, const struct fact *fact,
                  bool in_truth)
{
    static const int becomes[] = {
        [CREATED] = LIVES,   [REFUSED] = IS_REFUSED, [DELETED] = IS_DELETED,
        [CLAIMED] = PENDING, [HELD] = HOLDS,         [FREED] = NOBODY};

    copy->known[index_of(w, fact)] = (struct known){fact->person, becomes[fact->kind]};
    copy->facts[copy->log.head++] = *fact;
    copy->log.checksum = fact->checksum;
    if (!in_truth)
        return;
    if (fact->kind == CREATED) {
        w->created++;
        w->twice += ++w->living[fact->name] > 1;
    }
    if (fact->kind == DELETED)
        w->living[fact->name]--;
    w->freed += fact->kind == FREED;
}

static uint32_t checksum_at(const struct copy *copy, uint64_t sequence)
{
    return sequence == 0 ? 0 : copy->facts[sequence - 1].checksum;
}

static void read_one(struct world *w, struct shard *shard, int which)
{
    struct copy *copy = &shard->copies[which];
    int64_t offset = copy->log.place.next;
    const struct posted *posted = &shard->stream[offset];
    struct rule_answer answer =
        rule_read(&copy->log, offset, &posted->message,
                  checksum_at(copy, rule_asks(&copy->log, offset, &posted->message)));

    switch (answer.verdict) {
    case RULE_APPEND:
        learn(w, copy, &posted->fact, which == CANON);
        break;
    case RULE_OPEN:
        if (offset != copy->opened)
            copy->opened = -1;
        w->openings += which == CANON;
        break;
    case RULE_VOID:
        w->voids += which == CANON;
        break;
    default:
        fail_msg("verdict %d at offset %d", answer.verdict, (int)offset);
    }
    copy->log.place = answer.place;
}

static int64_t post(struct world *w, struct shard *shard, const struct posted *posted)
{
    if (shard->end == shard->size) {
        shard->size = shard->size ? 2 * shard->size : 64;
        shard->stream = realloc(shard->stream, (size_t)shard->size * sizeof *posted);
        for (int i = 0; i <= NODES; i++)
            shard->copies[i].facts =
                realloc(shard->copies[i].facts,
                        (size_t)shard->size * sizeof *shard->copies[i].facts);
        shard->promised =
            realloc(shard->promised, (size_t)shard->size * sizeof *shard->promised);
        memset(shard->promised + shard->size / 2, 0,
               (size_t)(shard->size - shard->size / 2) * sizeof *shard->promised);
        if (shard->size == 64)
            memset(shard->promised, 0, 64 * sizeof *shard->promised);
    }
    shard->stream[shard->end++] = *posted;
    read_one(w, shard, CANON);
    return shard->end - 1;
}

static void lead(struct world *w, struct shard *shard, struct copy *copy)
{
    const struct posted opening = {.message = {.type = MESSAGE_OPENING,
                                               .epoch = -1,
                                               .first = copy->log.head,
                                               .before = copy->log.checksum,
                                               .reseed = -1}};

    copy->opened = post(w, shard, &opening);
}

static void catch_up(struct world *w, struct shard *shard, int which)
{
    while (shard->copies[which].log.place.next < shard->end)
        read_one(w, shard, which);
}

enum answer { DONE, REFUSES, NO_ANSWER };

/* As rules.c would: what the fact is to a shard that knows this. *append: it is new. */
static enum answer decide(const struct known *known, const struct fact *fact,
                          bool *append)
{
    *append = false;
    switch (fact->kind) {
    case CREATED:
        *append = known->is == NOBODY;
        return *append || known->is == LIVES ? DONE : REFUSES;
    case REFUSED: /* the fence: done where it is refused, or was deleted */
        *append = known->is == NOBODY;
        return known->is == LIVES ? REFUSES : DONE;
    case DELETED:
        *append = known->is == LIVES;
        return *append || known->is == IS_DELETED ? DONE : REFUSES;
    case CLAIMED:
        *append = known->is == NOBODY;
        return *append || known->person == fact->person ? DONE : REFUSES;
    case HELD:
        *append = known->is == PENDING && known->person == fact->person;
        return *append || known->person == fact->person ? DONE : REFUSES;
    case FREED:
        *append = known->is != NOBODY && known->person == fact->person;
        return DONE;
    }
    return REFUSES;
}

static bool leads(const struct world *w, const struct copy *copy)
{
    return copy->opened >= 0 && copy->log.place.epoch == copy->opened &&
           copy->doubt < copy->log.place.next && copy->frozen_until <= w->step;
}

/* One command to one node, which may not be the leader any more. */
static enum answer submit(struct world *w, struct shard *shard, struct copy *copy,
                          struct fact fact)
{
    struct posted posted = {.message = {.type = MESSAGE_BATCH,
                                        .epoch = copy->opened,
                                        .first = copy->log.head + 1,
                                        .count = 1,
                                        .before = copy->log.checksum,
                                        .reseed = -1}};
    enum answer answer;
    bool append;
    int64_t offset;

    if (!leads(w, copy))
        return NO_ANSWER;
    answer = decide(&copy->known[index_of(w, &fact)], &fact, &append);
    if (!append) /* only who leads still may say so: where the stream ends here */
        return copy->log.place.next == shard->end ? answer : NO_ANSWER;
    fact.checksum = ++w->made;
    posted.fact = fact;
    if (!shard->has_late && random_below(&w->random, 25) == 0) {
        shard->late = posted;
        shard->has_late = true;
        copy->opened = -1; /* killed, or frozen until it is deposed */
        return NO_ANSWER;
    }
    offset = post(w, shard, &posted);
    if (offset != copy->log.place.next) {
        w->doubts++;
        copy->doubt = offset;
        return NO_ANSWER;
    }
    read_one(w, shard, (int)(copy - shard->copies));
    if (random_below(&w->random, 40) == 0)
        return NO_ANSWER; /* it is in, and the answer is lost */
    shard->promised[copy->log.head - 1] = fact.checksum;
    w->acknowledged++;
    return answer;
}

/* To whichever node the client believes in. */
static enum answer ask(struct world *w, struct shard *shard, enum kind kind,
                       uint32_t person, uint32_t name)
{
    return submit(w, shard, &shard->copies[random_below(&w->random, NODES)],
                  (struct fact){.kind = kind, .person = person, .name = name});
}

static void begin_saga(struct world *w, struct saga *saga)
{
    if (w->persons == w->persons_max)
        return;
    *saga = (struct saga){.busy = true, .person = w->persons++};
    saga->name = (uint32_t)random_below(&w->random, w->names);
    w->name_of[saga->person] = saga->name;
}

static void go_on(struct world *w, struct saga *saga)
{
    enum answer answer;

    if (random_below(&w->random, 200) == 0) { /* the client is gone */
        w->abandoned++;
        saga->busy = false;
        return;
    }
    if (saga->deleting)
        answer =
            ask(w, shard_of_person(w, saga->person), DELETED, saga->person, saga->name);
    else if (saga->step == 0)
        answer =
            ask(w, shard_of_name(w, saga->name), CLAIMED, saga->person, saga->name);
    else if (saga->step == 1)
        answer =
            ask(w, shard_of_person(w, saga->person), CREATED, saga->person, saga->name);
    else
        answer = ask(w, shard_of_name(w, saga->name), HELD, saga->person, saga->name);
    if (answer == NO_ANSWER)
        return; /* asked again, perhaps another node */
    if (answer == REFUSES) {
        saga->busy = false;
        return;
    }
    if (saga->deleting)
        w->promised[saga->person] = 2;
    else if (saga->step == 1)
        w->promised[saga->person] = 1;
    if (saga->deleting)
        saga->busy = false;
    else if (++saga->step == 3)
        saga->deleting = true;
}

/* Look after one name, as its shard's leader knows it. */
static void resolve(struct world *w, uint32_t name)
{
    struct shard *shard = shard_of_name(w, name);
    struct copy *copy = &shard->copies[random_below(&w->random, NODES)];
    struct known known = copy->known[name / w->name_shards];
    enum answer answer = DONE;

    if (!leads(w, copy) || known.is == NOBODY)
        return;
    if (w->fence || known.is == HOLDS)
        answer = ask(w, shard_of_person(w, known.person), REFUSED, known.person, name);
    if (answer == DONE)
        submit(w, shard, copy,
               (struct fact){.kind = FREED, .person = known.person, .name = name});
    if (answer == REFUSES && known.is == PENDING)
        submit(w, shard, copy,
               (struct fact){.kind = HELD, .person = known.person, .name = name});
}

static void disturb(struct world *w, struct shard *shard)
{
    struct copy *copy = &shard->copies[random_below(&w->random, NODES)];

    switch (random_below(&w->random, 5)) {
    case 0:
        if (copy->frozen_until <= w->step)
            lead(w, shard, copy);
        break;
    case 1:
        copy->frozen_until = w->step + random_below(&w->random, 20 * w->shards);
        break;
    case 2:
        if (shard->has_late)
            post(w, shard, &shard->late);
        shard->has_late = false;
        break;
    case 3:
        copy->opened = -1; /* killed: its log is as it was */
        break;
    default:
        break;
    }
}

static void step(struct world *w)
{
    struct shard *shard = &w->list[random_below(&w->random, w->shards)];
    struct saga *saga = &w->sagas[random_below(&w->random, w->sagas_count)];
    int which = (int)random_below(&w->random, NODES);

    w->step++;
    if (shard->copies[which].frozen_until <= w->step)
        catch_up(w, shard, which);
    if (random_below(&w->random, 15) == 0)
        disturb(w, shard);
    if (shard->copies[CANON].log.place.epoch < 0)
        lead(w, shard, &shard->copies[which]);
    if (random_below(&w->random, 12) == 0)
        resolve(w, (uint32_t)random_below(&w->random, w->names));
    if (!saga->busy)
        begin_saga(w, saga);
    if (saga->busy)
        go_on(w, saga);
}

/* All is well again: one leader a shard, nothing on its way, nobody frozen. */
static void heal(struct world *w)
{
    for (uint32_t i = 0; i < w->shards; i++) {
        struct shard *shard = &w->list[i];

        if (shard->has_late)
            post(w, shard, &shard->late);
        shard->has_late = false;
        for (int c = 0; c < NODES; c++) {
            shard->copies[c].frozen_until = 0;
            catch_up(w, shard, c);
        }
        lead(w, shard, &shard->copies[0]);
        for (int c = 0; c < NODES; c++)
            catch_up(w, shard, c);
    }
}

static struct world *world_of(uint64_t seed, uint32_t shards, uint64_t steps,
                              bool fence)
{
    struct world *w = calloc(1, sizeof *w);
    size_t known;

    w->random.state = seed;
    w->fence = fence;
    w->shards = shards;
    w->name_shards = shards / NAME_SHARD_EACH;
    w->names = w->name_shards * NAMES_PER_SHARD;
    w->persons_max = (uint32_t)(steps / 2) + 1;
    w->sagas_count = shards;
    w->list = calloc(shards, sizeof *w->list);
    w->sagas = calloc(w->sagas_count, sizeof *w->sagas);
    w->living = calloc(w->names, sizeof *w->living);
    w->promised = calloc(w->persons_max, 1);
    w->name_of = calloc(w->persons_max, sizeof *w->name_of);
    for (uint32_t i = 0; i < shards; i++) {
        known = i < w->name_shards ? NAMES_PER_SHARD
                                   : w->persons_max / (shards - w->name_shards) + 1;
        for (int c = 0; c <= NODES; c++) {
            struct copy *copy = &w->list[i].copies[c];

            copy->log.place = (struct dbk_place){0, -1, -1};
            copy->opened = copy->doubt = -1;
            copy->known = calloc(known, sizeof *copy->known);
        }
    }
    return w;
}

static void free_world(struct world *w)
{
    for (uint32_t i = 0; i < w->shards; i++) {
        for (int c = 0; c <= NODES; c++) {
            free(w->list[i].copies[c].known);
            free(w->list[i].copies[c].facts);
        }
        free(w->list[i].stream);
        free(w->list[i].promised);
    }
    free(w->list);
    free(w->sagas);
    free(w->living);
    free(w->promised);
    free(w->name_of);
    free(w);
}

static void assert_nothing_lost(struct world *w)
{
    for (uint32_t i = 0; i < w->shards; i++) {
        struct shard *shard = &w->list[i];
        const struct copy *truth = &shard->copies[CANON];

        for (int c = 0; c < NODES; c++) {
            assert_int_equal(shard->copies[c].log.head, truth->log.head);
            for (uint64_t s = 0; s < truth->log.head; s++)
                assert_int_equal(shard->copies[c].facts[s].checksum,
                                 truth->facts[s].checksum);
        }
        for (uint64_t s = 0; s < truth->log.head; s++)
            assert_true(!shard->promised[s] ||
                        shard->promised[s] == truth->facts[s].checksum);
        for (int64_t s = (int64_t)truth->log.head; s < shard->size; s++)
            assert_int_equal(shard->promised[s], 0);
    }
    for (uint32_t p = 0; p < w->persons; p++) {
        uint32_t index = p / (w->shards - w->name_shards);
        int is = shard_of_person(w, p)->copies[CANON].known[index].is;

        assert_true(w->promised[p] == 0 || is == LIVES || is == IS_DELETED);
        assert_true(w->promised[p] != 2 || is == IS_DELETED);
    }
}

/* Each name is held by the person who has it, and by nobody where nobody does. */
static void assert_names_settle(struct world *w)
{
    for (int round = 0; round < 400; round++) {
        for (uint32_t name = 0; name < w->names; name++)
            resolve(w, name);
        if (round % 20 == 0)
            heal(w); /* what was sent in these rounds was disturbed, too */
    }
    heal(w);
    for (uint32_t name = 0; name < w->names; name++) {
        const struct known *known =
            &shard_of_name(w, name)->copies[CANON].known[name / w->name_shards];

        assert_int_equal(w->living[name], known->is == HOLDS);
        if (known->is == HOLDS)
            assert_int_equal(w->name_of[known->person], name);
    }
}

static uint64_t setting(const char *name, uint64_t fallback)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : fallback;
}

static struct world *run(uint64_t seed, bool fence)
{
    uint32_t shards = (uint32_t)setting("DAYBOOK_SHARDS", 40);
    uint64_t steps = setting("DAYBOOK_STEPS", 5000) * shards;
    struct world *w = world_of(seed, shards, steps, fence);

    while (w->step < steps)
        step(w);
    heal(w);
    return w;
}

static void a_name_is_one_living_persons_whatever_fails(void **state)
{
    uint64_t seed = setting("DAYBOOK_SEED", 1);
    struct world *w = run(seed, true);

    (void)state;
    assert_nothing_lost(w);
    assert_int_equal(w->twice, 0);
    assert_names_settle(w);
    assert_int_equal(w->twice, 0);
    assert_true(w->voids > 0 && w->doubts > 0 && w->abandoned > 0 && w->freed > 0);
    print_message(
        "seed %llu: %u shards of 3 nodes, %llu steps: %llu acknowledged records, "
        "%llu persons, %llu openings, %llu void batches, %llu in doubt, %llu "
        "clients gone, %llu names freed\n",
        (unsigned long long)seed, w->shards, (unsigned long long)w->step,
        (unsigned long long)w->acknowledged, (unsigned long long)w->created,
        (unsigned long long)w->openings, (unsigned long long)w->voids,
        (unsigned long long)w->doubts, (unsigned long long)w->abandoned,
        (unsigned long long)w->freed);
    free_world(w);
}

/* What was watched for does happen where the fence is left out. */
static void without_the_fence_two_have_one_name(void **state)
{
    struct world *w = run(setting("DAYBOOK_SEED", 1), false);

    (void)state;
    assert_true(w->twice > 0);
    free_world(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_one_living_persons_whatever_fails),
        cmocka_unit_test(without_the_fence_two_have_one_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
