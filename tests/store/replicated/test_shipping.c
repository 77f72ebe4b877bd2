/* A leader ships between append and commit, and a follower refuses. */
#include "shipping_pair.h"

#include <sys/wait.h>

static void what_a_leader_appends_the_other_copy_has(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0], *other = &cluster->nodes[1];
    struct dbk_place place;
    uint64_t sequence;

    assert_int_equal(dbk_log_role(leader->s.log), DBK_LOG_LEADS);
    assert_int_equal(try_event(leader, &cluster->kate, &sequence, &leader->s.err),
                     DBK_OK);
    assert_int_equal(sequence, 2);
    assert_int_equal(leader->ships, 2);
    assert_int_equal(node_head(other), 0);
    node_catch_up(other);
    check_equal(cluster);
    place = place_of(other);
    assert_int_equal(place.next, 3);
    assert_int_equal(place.epoch, 0);
    assert_int_equal(place_of(leader).next, 3);
}

static void a_follower_refuses_before_anything_is_begun(void **state)
{
    struct cluster *cluster = *state;
    struct node *other = &cluster->nodes[1];
    uint64_t sequence;

    node_catch_up(other);
    assert_int_equal(dbk_log_role(other->s.log), DBK_LOG_FOLLOWS);
    assert_int_equal(try_event(other, &cluster->kate, &sequence, &other->s.err),
                     DBK_NOT_LEADER);
    assert_non_null(strstr(other->s.err.text, "member of a cluster"));
    assert_int_equal(node_head(other), 1);
    assert_int_equal(other->ships, 0);
}

static void so_does_another_process_beside_the_leader(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0];
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct dbk_log_options options = {.map_size = (size_t)1 << 30};
        struct node second = {.stream = &cluster->stream};
        uint64_t sequence;

        if (dbk_log_open(leader->s.dir, &options, &second.s.log, &second.s.err) !=
            DBK_OK)
            _exit(2);
        _exit(dbk_log_role(second.s.log) == DBK_LOG_FOLLOWS &&
                      try_event(&second, &cluster->kate, &sequence, &second.s.err) ==
                          DBK_NOT_LEADER
                  ? 0
                  : 1);
    }
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(node_head(leader), 1);
}

/* It has the log open since before, and finds the place in its write transaction. */
static void and_one_that_opened_it_when_it_was_alone(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);
    struct dbk_place place = at_the_beginning;
    int status, go[2];
    pid_t child;
    char c;

    (void)state;
    strcpy(s->dir, "/tmp/daybook-store-XXXXXX");
    assert_non_null(mkdtemp(s->dir));
    assert_int_equal(pipe(go), 0);
    child = fork();
    if (child == 0) { /* makes it a member, once it is open over there */
        if (read(go[0], &c, 1) != 1)
            _exit(1);
        scratch_open(s);
        _exit(dbk_log_put_place(s->log, &place, &s->err) != DBK_OK);
    }
    scratch_open(s);
    assert_int_equal(dbk_log_role(s->log), DBK_LOG_ALONE);
    add_person(s, "kate@x.mock");
    assert_int_equal(write(go[1], "x", 1), 1);
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    assert_int_equal(dbk_log_role(s->log), DBK_LOG_ALONE); /* nobody has told it */
    {
        struct dbk_record bob = draft_person("bob@x.mock");
        struct dbk_command *command = command_of(&bob);

        assert_int_equal(dbk_log_submit(s->log, &command, 1, NULL, NULL, &s->err),
                         DBK_NOT_LEADER);
        dbk_command_destroy(command);
    }
    assert_int_equal(dbk_log_role(s->log), DBK_LOG_FOLLOWS);
    assert_int_equal(head_of(s), 1);
    dbk_log_close(s->log);
    scratch_remove(s->dir);
    close(go[0]);
    close(go[1]);
    free(s);
}

static void without_a_place_it_is_alone_again(void **state)
{
    struct cluster *cluster = *state;
    struct node *other = &cluster->nodes[1];
    struct dbk_place place;

    node_catch_up(other);
    assert_int_equal(dbk_log_put_place(other->s.log, NULL, &other->s.err), DBK_OK);
    assert_int_equal(dbk_log_role(other->s.log), DBK_LOG_ALONE);
    assert_int_equal(dbk_log_place(other->s.log, &place, &other->s.err), DBK_NOT_FOUND);
    add_person(&other->s, "bob@x.mock");
    scratch_reopen(&other->s);
    assert_int_equal(dbk_log_role(other->s.log), DBK_LOG_ALONE);
}

static void a_place_is_there_after_reopening(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0];
    struct dbk_place before = place_of(leader), after;
    uint64_t sequence;

    scratch_reopen(&leader->s);
    after = place_of(leader);
    assert_memory_equal(&before, &after, sizeof before);
    assert_int_equal(dbk_log_role(leader->s.log), DBK_LOG_FOLLOWS);
    assert_int_equal(try_event(leader, &cluster->kate, &sequence, &leader->s.err),
                     DBK_NOT_LEADER);
}

static void what_cannot_be_sent_was_never_appended(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0];
    uint64_t sequence;

    leader->script = "U";
    assert_int_equal(try_event(leader, &cluster->kate, &sequence, &leader->s.err),
                     DBK_UNAVAILABLE);
    assert_int_equal(node_head(leader), 1);
    assert_int_equal(dbk_log_role(leader->s.log), DBK_LOG_LEADS);
    assert_int_equal(try_event(leader, &cluster->kate, &sequence, &leader->s.err),
                     DBK_OK);
    assert_int_equal(sequence, 2);
}

static void a_deposed_leader_appends_nothing(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0], *other = &cluster->nodes[1];
    uint64_t sequence;

    node_lead(other);
    assert_int_equal(try_event(leader, &cluster->kate, &sequence, &leader->s.err),
                     DBK_NOT_LEADER);
    assert_int_equal(dbk_log_role(leader->s.log), DBK_LOG_FOLLOWS);
    assert_int_equal(atomic_load(&leader->lost), 0);
    assert_int_equal(try_event(other, &cluster->kate, &sequence, &other->s.err),
                     DBK_OK);
    dbk_log_follow(leader->s.log);
    node_catch_up(leader);
    assert_int_equal(leader->voids, 1); /* its own */
    check_equal(cluster);
}

static void a_refusal_is_confirmed_first(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0], *other = &cluster->nodes[1];
    struct dbk_record again = draft_person("KATE@x.mock");
    struct dbk_command *command = command_of(&again);

    assert_int_equal(submit_command(&leader->s, command).code, DBK_CONFLICT);
    assert_int_equal(leader->confirmed, 1);
    leader->confirms = "U";
    assert_int_equal(
        dbk_log_submit(leader->s.log, &command, 1, NULL, NULL, &leader->s.err),
        DBK_UNAVAILABLE);
    node_lead(other); /* there she may be gone by now */
    assert_int_equal(
        dbk_log_submit(leader->s.log, &command, 1, NULL, NULL, &leader->s.err),
        DBK_NOT_LEADER);
    dbk_command_destroy(command);
}

/* LMDB would find that out when the others have it already. */
static void room_is_looked_at_before_anything_is_sent(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0];
    int ships = leader->ships;
    uint64_t sequence;

    atomic_store(&no_room, true);
    assert_int_equal(try_event(leader, &cluster->kate, &sequence, &leader->s.err),
                     DBK_NO_ROOM);
    atomic_store(&no_room, false);
    assert_int_equal(leader->ships, ships);
    assert_int_equal(dbk_log_role(leader->s.log), DBK_LOG_LEADS);
    assert_int_equal(try_event(leader, &cluster->kate, &sequence, &leader->s.err),
                     DBK_OK);
}

/* As after the stream lost its end: what the one has is sent again, in other pieces, and held
 * against what the other has of it. */
static void what_is_shipped_again_is_compared_and_the_rest_is_appended(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0], *other = &cluster->nodes[1];
    struct dbk_shipment shipment;
    struct dbk_batch batch = {0};
    struct dbk_apply *apply;
    struct dbk_place place;
    uint32_t checksum, before;
    uint64_t head, sequence;

    node_catch_up(other);
    for (int i = 0; i < 3; i++)
        assert_int_equal(try_event(leader, &cluster->kate, &sequence, &leader->s.err),
                         DBK_OK);
    assert_int_equal(dbk_log_shipment(leader->s.log, 0, 1, &batch, &shipment, NULL),
                     DBK_OK);
    assert_int_equal(shipment.count, 1); /* one at least */
    assert_int_equal(shipment.before, 0);
    assert_int_equal(
        dbk_log_shipment(leader->s.log, 0, DBK_SHIPMENT_MAX, &batch, &shipment, NULL),
        DBK_OK);
    assert_int_equal(shipment.count, 4);
    assert_int_equal(
        dbk_log_apply_begin(other->s.log, &apply, &place, &head, &checksum, NULL),
        DBK_OK);
    assert_int_equal(head, 1);
    assert_int_equal(
        dbk_apply_overlap(apply, 1, 4, shipment.body, &head, &checksum, NULL), DBK_OK);
    assert_int_equal(head, 4);
    assert_int_equal(dbk_apply_compare(apply, 1, 4, shipment.body, NULL), DBK_OK);
    place.next = place_of(leader).next;
    assert_int_equal(dbk_apply_commit(apply, &place, NULL), DBK_OK);
    check_equal(cluster);
    assert_int_equal(
        dbk_log_shipment(leader->s.log, 3, DBK_SHIPMENT_MAX, &batch, &shipment, NULL),
        DBK_OK);
    dbk_log_checksum(other->s.log, 3, &before, NULL);
    assert_int_equal(shipment.before, before);
    assert_int_equal(dbk_log_shipment(leader->s.log, 4, 100, &batch, &shipment, NULL),
                     DBK_OK);
    assert_int_equal(shipment.count, 0);
    dbk_batch_finish(&batch);
}

static void another_record_in_the_place_of_ones_own_is_told(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0], *other = &cluster->nodes[1];
    struct dbk_shipment shipment;
    struct dbk_batch batch = {0};
    struct dbk_apply *apply;
    struct dbk_place place;
    struct dbk_error err;
    uint32_t checksum;
    uint64_t head;

    assert_int_equal(dbk_log_put_place(other->s.log, NULL, NULL), DBK_OK);
    add_person(&other->s, "bob@x.mock");
    assert_int_equal(dbk_log_put_place(other->s.log, &at_the_beginning, NULL), DBK_OK);
    assert_int_equal(
        dbk_log_shipment(leader->s.log, 0, DBK_SHIPMENT_MAX, &batch, &shipment, NULL),
        DBK_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            dbk_log_apply_begin(other->s.log, &apply, &place, &head, &checksum, NULL),
            DBK_OK);
        assert_int_equal(i == 0 ? dbk_apply_compare(apply, 1, 1, shipment.body, &err)
                                : dbk_apply_overlap(apply, 1, 1, shipment.body, &head,
                                                    &checksum, &err),
                         DBK_CONFLICT);
        assert_non_null(strstr(err.text, "record 1"));
        dbk_apply_abort(apply);
    }
    dbk_batch_finish(&batch);
}

enum { LARGE = 60000 };

/* Submissions of so many events with large properties each. */
struct load {
    pthread_t thread;
    struct cluster *cluster;
    size_t count;
    enum dbk_code code;
    struct dbk_error err;
};

static void *load_run(void *context)
{
    static char properties[LARGE];
    struct load *load = context;
    struct dbk_command **commands = calloc(load->count, sizeof *commands);

    for (size_t i = 0; i < load->count; i++) {
        struct dbk_record event = draft_event(&load->cluster->kate);

        event.properties = (struct dbk_slice){properties, sizeof properties};
        commands[i] = dbk_command_create();
        dbk_command_add(commands[i], &event, NULL);
    }
    load->code = dbk_log_submit(load->cluster->nodes[0].s.log, commands, load->count,
                                NULL, NULL, &load->err);
    for (size_t i = 0; i < load->count; i++)
        dbk_command_destroy(commands[i]);
    free(commands);
    return NULL;
}

/* The first is being shipped while the others gather. */
static void what_is_too_large_together_is_shipped_one_after_the_other(void **state)
{
    const struct timespec moment = {.tv_nsec = 50000000};
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0];
    struct load loads[4];
    atomic_bool open;

    atomic_init(&open, false);
    leader->gate = &open;
    for (size_t i = 0; i < 4; i++) {
        loads[i] = (struct load){.cluster = cluster, .count = i == 0 ? 1 : 120};
        pthread_create(&loads[i].thread, NULL, load_run, &loads[i]);
        nanosleep(&moment, NULL);
    }
    atomic_store(&open, true);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(loads[i].thread, NULL);
        assert_int_equal(loads[i].code, DBK_OK);
    }
    leader->gate = NULL;
    assert_true(leader->largest <= DBK_SHIPMENT_MAX);
    assert_int_equal(node_head(leader), 1 + 1 + 3 * 120);
    node_catch_up(&cluster->nodes[1]);
    assert_int_equal(node_head(&cluster->nodes[1]), node_head(leader));
}

/* Several were answered at once: who comes back first waits for the others no longer than a
 * moment, though none of them does. */
static void one_of_many_goes_on_alone(void **state)
{
    struct cluster *cluster = *state;
    struct node *leader = &cluster->nodes[0];
    struct load loads[8];
    atomic_bool open;

    atomic_init(&open, false);
    leader->gate = &open;
    for (size_t i = 0; i < 8; i++) {
        loads[i] = (struct load){.cluster = cluster, .count = 2};
        pthread_create(&loads[i].thread, NULL, load_run, &loads[i]);
    }
    atomic_store(&open, true);
    for (size_t i = 0; i < 8; i++) {
        pthread_join(loads[i].thread, NULL);
        assert_int_equal(loads[i].code, DBK_OK);
    }
    leader->gate = NULL;
    for (size_t i = 0; i < 3; i++) {
        loads[0].count = 1;
        load_run(&loads[0]);
        assert_int_equal(loads[0].code, DBK_OK);
    }
    assert_int_equal(node_head(leader), 1 + 8 * 2 + 3);
}

static void what_is_too_large_alone_is_refused(void **state)
{
    struct cluster *cluster = *state;
    struct load load = {.cluster = cluster, .count = 270};

    load_run(&load);
    assert_int_equal(load.code, DBK_TOO_LARGE);
    assert_int_equal(node_head(&cluster->nodes[0]), 1);
    load.count = 200;
    load_run(&load);
    assert_int_equal(load.code, DBK_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_a_leader_appends_the_other_copy_has),
        TEST(a_follower_refuses_before_anything_is_begun),
        TEST(so_does_another_process_beside_the_leader),
        TEST(and_one_that_opened_it_when_it_was_alone),
        TEST(without_a_place_it_is_alone_again),
        TEST(a_place_is_there_after_reopening),
        TEST(what_cannot_be_sent_was_never_appended),
        TEST(a_deposed_leader_appends_nothing),
        TEST(a_refusal_is_confirmed_first),
        TEST(what_is_shipped_again_is_compared_and_the_rest_is_appended),
        TEST(another_record_in_the_place_of_ones_own_is_told),
        TEST(room_is_looked_at_before_anything_is_sent),
        TEST(what_is_too_large_together_is_shipped_one_after_the_other),
        TEST(one_of_many_goes_on_alone),
        TEST(what_is_too_large_alone_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
