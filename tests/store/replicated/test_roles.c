/* Eight who submit, while the two copies lead by turns, and shipping fails now and then: each
 * is answered, what was acknowledged is in both under its sequence, and nothing is twice. */
#include "members.h"

#include <stdatomic.h>
#include <time.h>

enum { NODES = 2, SUBMITTERS = 8, EACH = 150, TURNS_MOST = 4000 };

static const char script[] = "......L......U.....l....."
                             "...L...l..........U......"
                             "l....L............U...l..";

struct world {
    struct stream stream;
    struct node nodes[NODES];
    struct dbk_uuid kate;
    atomic_int leader, working;
};

struct submitter {
    struct world *world;
    uint64_t sequences[EACH];
    struct dbk_uuid ids[EACH];
    int acknowledged, refused, doubted;
    int wrong; /* codes that there cannot be */
};

static void submit_one(struct submitter *submitter)
{
    struct world *world = submitter->world;
    struct dbk_record event = draft_event(&world->kate);
    struct dbk_command *command = dbk_command_create();
    struct dbk_error err;
    enum dbk_code code;

    submitter->wrong += dbk_command_add(command, &event, &err) != DBK_OK;
    code = dbk_log_submit(world->nodes[atomic_load(&world->leader)].s.log, &command, 1,
                          NULL, NULL, &err);
    if (code == DBK_OK) {
        submitter->ids[submitter->acknowledged] = event.subject;
        submitter->sequences[submitter->acknowledged++] =
            dbk_command_verdict(command)->sequence;
    } else if (code == DBK_IN_DOUBT) {
        submitter->doubted++;
    } else if (code == DBK_NOT_LEADER || code == DBK_UNAVAILABLE) {
        submitter->refused++;
    } else {
        submitter->wrong++;
    }
    dbk_command_destroy(command);
}

static void *submit_all(void *context)
{
    const struct timespec moment = {.tv_nsec = 300000};
    struct submitter *submitter = context;

    for (int i = 0; i < EACH; i++) {
        submit_one(submitter);
        if (i % 10 == 0)
            nanosleep(&moment, NULL);
    }
    atomic_fetch_sub(&submitter->world->working, 1);
    return NULL;
}

/* Looks on, as projector, feed and health do. */
static void *look(void *context)
{
    struct world *world = context;
    struct dbk_log_health health;
    struct dbk_log_gauges gauges;
    struct dbk_place place;
    uint64_t head = 0, wrong = 0;

    while (atomic_load(&world->working) > 0) {
        struct dbk_log *log = world->nodes[head % NODES].s.log;

        wrong += dbk_log_wait(log, head, 2, &head, NULL) != DBK_OK;
        wrong += dbk_log_place(log, &place, NULL) != DBK_OK;
        wrong += dbk_log_role(log) == DBK_LOG_ALONE;
        dbk_log_health(log, &health);
        dbk_log_gauges(log, &gauges);
    }
    return wrong ? world : NULL;
}

/* Make it lead from here; whoever was in doubt is told. */
static int lead(struct world *world, int who)
{
    int64_t epoch = stream_open(&world->stream);
    struct dbk_error err;
    int failures = 0;

    for (int i = 0; i < NODES; i++) {
        dbk_log_follow(world->nodes[i].s.log);
        failures += node_follow(&world->nodes[i], epoch + 1, 5, &err) != DBK_OK;
        dbk_log_settle(world->nodes[i].s.log, true);
    }
    node_lead_on(&world->nodes[who]);
    atomic_store(&world->leader, who);
    return failures;
}

static void check(struct world *world, struct submitter *submitters, int *acknowledged)
{
    uint64_t head = node_head(&world->nodes[0]);
    bool *seen = calloc(head + 1, sizeof *seen);

    assert_int_equal(node_head(&world->nodes[1]), head);
    for (int s = 0; s < SUBMITTERS; s++) {
        assert_int_equal(submitters[s].wrong, 0);
        for (int i = 0; i < submitters[s].acknowledged; i++) {
            uint64_t sequence = submitters[s].sequences[i];

            assert_in_range(sequence, 2, head);
            assert_false(seen[sequence]);
            seen[sequence] = true;
            for (int n = 0; n < NODES; n++) {
                struct dbk_event_state state;

                assert_int_equal(dbk_log_event(world->nodes[n].s.log,
                                               &submitters[s].ids[i], &state, NULL),
                                 DBK_OK);
                assert_int_equal(state.sequence, sequence);
            }
        }
        *acknowledged += submitters[s].acknowledged;
    }
    free(seen);
}

static void roles_change_under_eight_who_submit(void **state)
{
    const struct timespec moment = {.tv_nsec = 4000000};
    struct world *world = calloc(1, sizeof *world);
    struct submitter *submitters = calloc(SUBMITTERS, sizeof *submitters);
    pthread_t threads[SUBMITTERS], looker;
    struct dbk_uuid id = dbk_uuid_new();
    int acknowledged = 0, failures = 0;
    void *looked;

    (void)state;
    stream_init(&world->stream);
    for (int i = 0; i < NODES; i++)
        node_open(&world->nodes[i], &world->stream, &id, 20000);
    atomic_init(&world->leader, 0);
    atomic_init(&world->working, SUBMITTERS);
    node_lead(&world->nodes[0]);
    world->kate = add_person(&world->nodes[0].s, "kate@x.mock");
    for (int i = 0; i < NODES; i++)
        world->nodes[i].script = script;
    pthread_create(&looker, NULL, look, world);
    for (int i = 0; i < SUBMITTERS; i++) {
        submitters[i].world = world;
        pthread_create(&threads[i], NULL, submit_all, &submitters[i]);
    }
    for (int i = 0; atomic_load(&world->working) > 0 && i < TURNS_MOST; i++) {
        nanosleep(&moment, NULL);
        failures += lead(world, i % NODES);
    }
    for (int i = 0; i < SUBMITTERS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(looker, &looked);
    assert_null(looked);
    assert_int_equal(failures, 0);
    for (int i = 0; i < NODES; i++) {
        dbk_log_follow(world->nodes[i].s.log);
        node_catch_up(&world->nodes[i]);
    }
    check(world, submitters, &acknowledged);
    assert_true(acknowledged > 0);
    for (int i = 0; i < NODES; i++)
        node_close(&world->nodes[i]);
    stream_finish(&world->stream);
    free(submitters);
    free(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_change_under_eight_who_submit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
