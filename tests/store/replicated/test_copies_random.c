/* Random commands, batches and keys, and shipping that fails in each of its ways, among three
 * copies, of which two lead by turns and one never does: all databases of all are equal, what
 * was acknowledged is there, what was refused for want of leading is not, and a key answers as
 * it did, whoever leads by then. */
#include "members.h"

#include "compare.h"
#include "environment.h"
#include "verified_log.h"

#include <lmdb.h>
#include <stdatomic.h>
#include <time.h>

enum { NODES = 3, LEADERS = 2, PERSONS = 8, STEPS = 1500, DRAFTS = 4, KEYED = 400 };

/* What is submitted, so that it can be again. */
struct request {
    int count;
    struct dbk_record drafts[DRAFTS];
    struct dbk_record aliases[DRAFTS]; /* in the same command, where they have a text */
    bool merges[DRAFTS];
    bool keyed;
    uint8_t key[32];
    struct dbk_verdict verdicts[DRAFTS];
};

struct acknowledged {
    uint64_t sequence;
    uint32_t checksum;
};

struct world {
    struct stream stream;
    struct node nodes[NODES];
    int leader;
    uint64_t random;
    struct dbk_uuid persons[PERSONS], events[STEPS * DRAFTS], refused[STEPS * DRAFTS];
    int event_count, refused_count;
    struct acknowledged acknowledged[STEPS * DRAFTS];
    int acknowledged_count;
    char texts[STEPS * DRAFTS][16];
    int text_count;
    struct request kept[KEYED];
    int kept_count;
    int seen[128]; /* of each kind of shipping */
    int replays, switched;
};

static int chance(struct world *world, int bound)
{
    world->random = world->random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (int)((world->random >> 33) % (uint64_t)bound);
}

#define ONE_OF(world, list)                                                            \
    dbk_slice((list)[chance(world, (int)(sizeof(list) / sizeof *(list)))])

static const char *const emails[] = {"a@x.mock", "B@x.mock", "b@x.mock", "c@x.mock",
                                     "d@x.mock", "e@x.mock", "f@x.mock", "g@x.mock"};
static const char *const externals[] = {"1", "2", "A", "a", "b", "c", "d", "e"};
static const char *const anonymous[] = {"d1", "d2", "\xC3\xA9", "|"};
static const char *const bags[] = {"{}", "{\"a\":1}", "{\"b\":\"two\"}"};

static enum dbk_code merge(struct dbk_slice current, struct dbk_slice patch, char *out,
                           size_t size, size_t *length, struct dbk_error *err)
{
    (void)size;
    (void)err;
    *length = patch.length;
    memcpy(out, patch.data, patch.length);
    if (current.length > 100)
        return DBK_OK;
    memset(out + *length, ' ', current.length % 7 + 1);
    *length += current.length % 7 + 1;
    return DBK_OK;
}

static struct dbk_slice new_email(struct world *world)
{
    char *text = world->texts[world->text_count++];

    snprintf(text, sizeof world->texts[0], "u%d@x.mock", world->text_count);
    return dbk_slice(text);
}

static void draft_fields(struct world *world, struct dbk_record *draft)
{
    draft->person.email = chance(world, 2) ? ONE_OF(world, emails) : new_email(world);
    if (chance(world, 2)) {
        draft->person.has |= DBK_HAS_EXTERNAL_ID;
        draft->person.external_id = ONE_OF(world, externals);
    }
    if (chance(world, 2)) {
        draft->person.has |= DBK_HAS_PROPERTIES;
        draft->person.properties = ONE_OF(world, bags);
    }
}

static void draft_one(struct world *world, struct request *request, int i)
{
    int who = chance(world, PERSONS);
    struct dbk_record *draft = &request->drafts[i], *alias = &request->aliases[i];

    *alias = (struct dbk_record){.sequence = 0};
    request->merges[i] = false;
    switch (chance(world, 9)) {
    case 0:
        *draft = draft_person("");
        if (chance(world, 4)) /* else of who may have gone since */
            draft->subject = world->persons[who];
        world->persons[who] = draft->subject;
        draft_fields(world, draft);
        if (chance(world, 3) == 0) {
            *alias = draft_of(DBK_PERSON_ALIASED, &draft->subject);
            alias->anonymous_id = ONE_OF(world, anonymous);
        }
        return;
    case 1:
    case 2:
        *draft = draft_of(DBK_PERSON_UPDATED, &world->persons[who]);
        draft->person.has = chance(world, 2) ? DBK_HAS_EMAIL : 0;
        draft_fields(world, draft);
        if (!draft->person.has)
            draft->person.has = DBK_HAS_EMAIL;
        request->merges[i] =
            (draft->person.has & DBK_HAS_PROPERTIES) && chance(world, 2);
        return;
    case 3:
        *draft = draft_of(chance(world, 8) ? DBK_PERSON_UNALIASED : DBK_PERSON_DELETED,
                          &world->persons[who]);
        if (draft->type == DBK_PERSON_UNALIASED)
            draft->anonymous_id = ONE_OF(world, anonymous);
        return;
    case 4:
        *draft = draft_of(DBK_PERSON_ALIASED, &world->persons[who]);
        draft->anonymous_id = ONE_OF(world, anonymous);
        return;
    case 5:
        if (world->event_count > 0) {
            *draft = draft_of(DBK_EVENT_DELETED,
                              &world->events[chance(world, world->event_count)]);
            return;
        }
        /* fall through */
    default:
        *draft = draft_event(&world->persons[who]);
        if (chance(world, 3) == 0) {
            memset(&draft->person_id, 0, sizeof draft->person_id);
            draft->anonymous_id = ONE_OF(world, anonymous);
        }
        if (chance(world, 3) == 0)
            draft->properties = ONE_OF(world, bags);
        if (chance(world, 5) == 0)
            draft->traceparent = dbk_slice("00-1");
        world->events[world->event_count++] = draft->subject;
    }
}

static void draft_request(struct world *world, struct request *request)
{
    request->count = chance(world, 4) ? 1 : 1 + chance(world, DRAFTS);
    for (int i = 0; i < request->count; i++)
        draft_one(world, request, i);
    request->keyed = chance(world, 3) == 0 && world->kept_count < KEYED;
    for (size_t i = 0; i < sizeof request->key; i++)
        request->key[i] = (uint8_t)chance(world, 256);
}

/* One submission, which may be held. */
struct attempt {
    struct world *world;
    struct node *node;
    struct request *request;
    bool replayed;
    enum dbk_code code;
    struct dbk_error err;
    atomic_bool done;
};

static void *run(void *context)
{
    struct attempt *attempt = context;
    struct request *request = attempt->request;
    struct dbk_command *commands[DRAFTS];
    struct dbk_idempotency key = {.keep_us = INT64_C(3600000000)};

    memcpy(key.key, request->key, sizeof key.key);
    for (int i = 0; i < request->count; i++) {
        commands[i] = dbk_command_create();
        dbk_command_add(commands[i], &request->drafts[i], NULL);
        if (request->aliases[i].anonymous_id.length > 0)
            dbk_command_add(commands[i], &request->aliases[i], NULL);
        if (request->merges[i])
            dbk_command_merge(commands[i], merge);
    }
    attempt->code =
        dbk_log_submit(attempt->node->s.log, commands, (size_t)request->count,
                       request->keyed ? &key : NULL, &attempt->replayed, &attempt->err);
    for (int i = 0; i < request->count; i++) {
        request->verdicts[i] = *dbk_command_verdict(commands[i]);
        dbk_command_destroy(commands[i]);
    }
    atomic_store(&attempt->done, true);
    return NULL;
}

/* Another may lead from here, or the same again. */
static void lead(struct world *world, int who)
{
    struct node *node = &world->nodes[who];

    world->switched += who != world->leader;
    world->leader = who;
    node_lead(node);
}

static void submit_doubtfully(struct world *world, struct attempt *attempt)
{
    const struct timespec moment = {.tv_nsec = 200000};
    struct node *before = attempt->node;
    pthread_t thread;

    pthread_create(&thread, NULL, run, attempt);
    while (!atomic_load(&attempt->done) && dbk_log_role(before->s.log) == DBK_LOG_LEADS)
        nanosleep(&moment, NULL);
    if (dbk_log_role(before->s.log) == DBK_LOG_FOLLOWS) {
        lead(world, chance(world, LEADERS));
        if (&world->nodes[world->leader] != before) {
            dbk_log_follow(before->s.log);
            node_catch_up(before);
        }
        dbk_log_settle(before->s.log, true);
    }
    pthread_join(thread, NULL);
}

static void note(struct world *world, struct request *request)
{
    struct dbk_log *log = world->nodes[world->leader].s.log;

    for (int i = 0; i < request->count; i++) {
        struct acknowledged *one = &world->acknowledged[world->acknowledged_count];

        if (request->verdicts[i].code != DBK_OK || request->verdicts[i].sequence == 0)
            continue;
        one->sequence = request->verdicts[i].sequence;
        assert_int_equal(dbk_log_checksum(log, one->sequence, &one->checksum, NULL),
                         DBK_OK);
        world->acknowledged_count++;
    }
    if (request->keyed) {
        bool accepted = false;

        for (int i = 0; i < request->count; i++)
            accepted = accepted || request->verdicts[i].code == DBK_OK;
        if (accepted)
            world->kept[world->kept_count++] = *request;
    }
}

static void note_refused(struct world *world, const struct request *request)
{
    for (int i = 0; i < request->count; i++) {
        if (request->drafts[i].type == DBK_EVENT_RECORDED)
            world->refused[world->refused_count++] = request->drafts[i].subject;
    }
}

static void step(struct world *world)
{
    static const char *const ways[] = {"U", "L", "l", "O"};
    const char *way = chance(world, 6) ? "." : ways[chance(world, 4)];
    struct node *leader = &world->nodes[world->leader];
    struct request request;
    struct attempt attempt = {.world = world, .node = leader, .request = &request};

    draft_request(world, &request);
    leader->script = *way == 'O' ? NULL : way;
    if (*way == 'O') /* another has opened */
        lead(world, 1 - world->leader);
    if (*way == 'L' || *way == 'l')
        submit_doubtfully(world, &attempt);
    else
        run(&attempt);
    if (leader->script == NULL || *leader->script == '\0')
        world->seen[(int)*way]++;
    leader->script = NULL;
    if (attempt.code == DBK_OK)
        note(world, &request);
    else
        note_refused(world, &request);
    if (attempt.code != DBK_OK && attempt.code != DBK_NOT_LEADER &&
        attempt.code != DBK_UNAVAILABLE)
        fail_msg("%d: %s", attempt.code, attempt.err.text);
    if (*way == 'O') {
        assert_int_equal(attempt.code, DBK_NOT_LEADER);
        dbk_log_follow(leader->s.log);
    }
}

static void replay(struct world *world)
{
    struct request *first, again;
    struct attempt attempt = {.world = world, .request = &again};

    if (world->kept_count == 0)
        return;
    first = &world->kept[chance(world, world->kept_count)];
    again = *first;
    attempt.node = &world->nodes[world->leader];
    run(&attempt);
    assert_int_equal(attempt.code, DBK_OK);
    assert_true(attempt.replayed);
    for (int i = 0; i < first->count; i++) {
        assert_int_equal(again.verdicts[i].code, first->verdicts[i].code);
        if (first->verdicts[i].code != DBK_OK)
            continue;
        assert_int_equal(again.verdicts[i].sequence, first->verdicts[i].sequence);
        assert_int_equal(again.verdicts[i].recorded_at, first->verdicts[i].recorded_at);
    }
    world->replays++;
}

static void differs(void *context, const char *text)
{
    (void)context;
    fail_msg("%s", text);
}

static void compare_database(const char *name, MDB_txn *a, MDB_dbi in_a, MDB_txn *b,
                             MDB_dbi in_b)
{
    MDB_val a_key, a_value, b_key, b_value;
    MDB_cursor *a_cursor, *b_cursor;
    int a_rc, b_rc;

    assert_int_equal(mdb_cursor_open(a, in_a, &a_cursor), 0);
    assert_int_equal(mdb_cursor_open(b, in_b, &b_cursor), 0);
    do {
        a_rc = mdb_cursor_get(a_cursor, &a_key, &a_value, MDB_NEXT);
        b_rc = mdb_cursor_get(b_cursor, &b_key, &b_value, MDB_NEXT);
        if (a_rc != b_rc ||
            (a_rc == 0 && (a_key.mv_size != b_key.mv_size ||
                           memcmp(a_key.mv_data, b_key.mv_data, a_key.mv_size) != 0 ||
                           a_value.mv_size != b_value.mv_size ||
                           memcmp(a_value.mv_data, b_value.mv_data, a_value.mv_size))))
            fail_msg("the copies differ in %s", name);
    } while (a_rc == 0);
    mdb_cursor_close(a_cursor);
    mdb_cursor_close(b_cursor);
}

static void compare_files(const char *a_dir, const char *b_dir)
{
    struct environment a, b;
    MDB_txn *a_txn, *b_txn;
    struct dbk_error err;

    assert_int_equal(environment_open(a_dir, ENVIRONMENT_READ, 1 << 30, &a, &err), 0);
    assert_int_equal(environment_open(b_dir, ENVIRONMENT_READ, 1 << 30, &b, &err), 0);
    assert_int_equal(mdb_txn_begin(a.env, NULL, MDB_RDONLY, &a_txn), 0);
    assert_int_equal(mdb_txn_begin(b.env, NULL, MDB_RDONLY, &b_txn), 0);
    compare_database("log", a_txn, a.log, b_txn, b.log);
    compare_database("idempotency", a_txn, a.idempotency, b_txn, b.idempotency);
    assert_int_equal(compare_indexes(a_txn, &a, b_txn, &b, differs, NULL), 0);
    mdb_txn_abort(a_txn);
    mdb_txn_abort(b_txn);
    environment_close(&a);
    environment_close(&b);
}

static void check_each(struct world *world, struct node *node)
{
    struct dbk_event_state state;

    for (int i = 0; i < world->acknowledged_count; i++) {
        uint32_t checksum;

        assert_int_equal(dbk_log_checksum(node->s.log, world->acknowledged[i].sequence,
                                          &checksum, NULL),
                         DBK_OK);
        assert_int_equal(checksum, world->acknowledged[i].checksum);
    }
    for (int i = 0; i < world->refused_count; i++)
        assert_int_equal(dbk_log_event(node->s.log, &world->refused[i], &state, NULL),
                         DBK_NOT_FOUND);
}

static void conclude(struct world *world)
{
    for (int i = 0; i < NODES; i++) {
        struct node *node = &world->nodes[i];

        dbk_log_follow(node->s.log);
        node_catch_up(node);
        check_each(world, node);
        dbk_log_close(node->s.log);
        node->s.log = NULL;
    }
    for (int i = 1; i < NODES; i++)
        compare_files(world->nodes[0].s.dir, world->nodes[i].s.dir);
    assert_true(assert_verified(world->nodes[NODES - 1].s.dir).member);
    assert_true(world->nodes[NODES - 1].voids > 0);
    for (const char *way = ".ULlO"; *way; way++)
        assert_true(world->seen[(int)*way] > 5);
    assert_true(world->replays > 20 && world->switched > 20 &&
                world->acknowledged_count > STEPS / 5);
}

static void run_world(uint64_t seed)
{
    struct world *world = calloc(1, sizeof *world);
    struct dbk_uuid id = dbk_uuid_new();

    world->random = seed;
    stream_init(&world->stream);
    for (int i = 0; i < PERSONS; i++)
        world->persons[i] = dbk_uuid_new();
    for (int i = 0; i < NODES; i++)
        node_open(&world->nodes[i], &world->stream, &id, 60000);
    node_lead(&world->nodes[0]);
    for (int i = 0; i < STEPS; i++) {
        step(world);
        if (chance(world, 10) == 0)
            replay(world);
        if (chance(world, 10) == 0)
            node_catch_up(&world->nodes[NODES - 1]);
    }
    conclude(world);
    for (int i = 0; i < NODES; i++)
        scratch_remove(world->nodes[i].s.dir);
    stream_finish(&world->stream);
    free(world);
}

static void all_copies_are_equal_whoever_led(void **state)
{
    (void)state;
    run_world(13);
}

static void and_another_time(void **state)
{
    (void)state;
    run_world(20261129);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_copies_are_equal_whoever_led),
        cmocka_unit_test(and_another_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
