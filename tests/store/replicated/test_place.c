/* The place of a log in its cluster outlasts what is done with its file: backups, whole and
 * brought up, restoring, checking, repairing. */
#include "members.h"

#include "store/backup.h"
#include "store/log_builder.h"
#include "store/repair.h"
#include "store/restore.h"
#include "store/verify.h"

#include <fcntl.h>
#include <lmdb.h>

struct world {
    struct stream stream;
    struct node node;
    struct dbk_uuid id, kate;
    char backup[100], made[100], check[100];
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    stream_init(&world->stream);
    world->id = dbk_uuid_new();
    node_open(&world->node, &world->stream, &world->id, 0);
    snprintf(world->backup, sizeof world->backup, "%.60s.bak", world->node.s.dir);
    snprintf(world->made, sizeof world->made, "%.60s.new", world->node.s.dir);
    snprintf(world->check, sizeof world->check, "%.60s.chk", world->node.s.dir);
    node_lead(&world->node);
    world->kate = add_person(&world->node.s, "kate@x.mock");
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;

    node_close(&world->node);
    scratch_remove(world->backup);
    scratch_remove(world->made);
    stream_finish(&world->stream);
    free(world);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* What forks is done while the log is not open. */
static void close_node(struct world *world)
{
    dbk_log_close(world->node.s.log);
    world->node.s.log = NULL;
}

static void open_node(struct world *world)
{
    scratch_open(&world->node.s);
    node_lead_on(&world->node);
}

static void record(struct world *world, int count)
{
    for (int i = 0; i < count; i++) {
        struct dbk_record event = draft_event(&world->kate);

        assert_int_equal(submit(&world->node.s, &event).code, DBK_OK);
    }
}

static void back_up(struct world *world)
{
    const struct dbk_backup_options options = {.compact = true};

    close_node(world);
    assert_int_equal(
        dbk_log_backup(world->node.s.dir, world->backup, &options, &world->node.s.err),
        DBK_OK);
    open_node(world);
}

static void bring_up(struct world *world)
{
    const struct dbk_backup_append_options options = {.finding = NULL};
    struct dbk_backup_appended by;

    close_node(world);
    if (dbk_log_backup_append(world->node.s.dir, world->backup, &options, &by,
                              &world->node.s.err) != DBK_OK)
        fail_msg("%s", world->node.s.err.text);
    assert_int_equal(by.findings, 0);
    open_node(world);
}

static enum dbk_code restore(struct world *world, bool member)
{
    const struct dbk_restore_options options = {.member = member};
    struct dbk_restored done;
    enum dbk_code code;

    close_node(world);
    code = dbk_log_restore(world->backup, world->made, &options, &done,
                           &world->node.s.err);
    open_node(world);
    return code;
}

/* Whoever is made of it goes on with the stream, and is then what the leader is. */
static void joins(struct world *world, const char *dir)
{
    struct dbk_log_options options = {.map_size = (size_t)1 << 30};
    struct node other = {.stream = &world->stream};
    struct dbk_uuid id;

    record(world, 3);
    strcpy(other.s.dir, dir);
    assert_int_equal(dbk_log_open(dir, &options, &other.s.log, &other.s.err), DBK_OK);
    id = dbk_log_store_id(other.s.log);
    assert_memory_equal(&id, &world->id, sizeof id);
    assert_int_equal(dbk_log_role(other.s.log), DBK_LOG_FOLLOWS);
    node_catch_up(&other);
    assert_int_equal(node_head(&other), node_head(&world->node));
    assert_int_equal(place_of(&other).next, place_of(&world->node).next);
    dbk_log_close(other.s.log);
}

static void find(void *context, uint64_t sequence, const char *text)
{
    (void)sequence;
    snprintf(context, 200, "%s", text);
}

static struct dbk_verify_result verify(struct world *world, const char *dir, char *said)
{
    struct dbk_verify_options options = {
        .scratch_dir = world->check, .finding = find, .context = said};
    struct dbk_verify_result result;

    said[0] = '\0';
    assert_int_equal(dbk_log_verify(dir, &options, &result, &world->node.s.err),
                     DBK_OK);
    return result;
}

static void a_backup_is_a_member_at_its_place(void **state)
{
    struct world *world = *state;

    record(world, 5);
    back_up(world);
    joins(world, world->backup);
}

static void a_backup_that_is_brought_up_has_the_place_of_its_head(void **state)
{
    struct world *world = *state;

    back_up(world);
    record(world, 5);
    stream_open(&world->stream); /* and what moves the place alone */
    dbk_log_follow(world->node.s.log);
    node_catch_up(&world->node);
    node_lead_on(&world->node);
    bring_up(world);
    joins(world, world->backup);
}

static void also_where_only_the_place_is_new(void **state)
{
    struct world *world = *state;

    back_up(world);
    stream_open(&world->stream);
    dbk_log_follow(world->node.s.log);
    node_catch_up(&world->node);
    node_lead_on(&world->node);
    bring_up(world);
    joins(world, world->backup);
}

static void a_backup_from_before_the_cluster_gets_its_place(void **state)
{
    struct world *world = *state;
    struct dbk_place place = place_of(&world->node);

    assert_int_equal(dbk_log_put_place(world->node.s.log, NULL, &world->node.s.err),
                     DBK_OK);
    back_up(world);
    assert_int_equal(dbk_log_put_place(world->node.s.log, &place, &world->node.s.err),
                     DBK_OK);
    bring_up(world);
    joins(world, world->backup);
}

static void a_member_is_restored_as_one(void **state)
{
    struct world *world = *state;

    record(world, 5);
    back_up(world);
    if (restore(world, true) != DBK_OK)
        fail_msg("%s", world->node.s.err.text);
    joins(world, world->made);
}

static void what_the_members_share_comes_along(void **state)
{
    struct world *world = *state;
    struct dbk_log_options options = {.map_size = (size_t)1 << 30};
    struct dbk_batch batch = {0};
    struct dbk_apply *apply;
    struct dbk_place place;
    struct dbk_slice bytes;
    struct dbk_log *made;
    uint32_t checksum;
    uint64_t head;

    back_up(world);
    assert_int_equal(
        dbk_log_apply_begin(world->node.s.log, &apply, &place, &head, &checksum, NULL),
        DBK_OK);
    assert_int_equal(dbk_apply_keep(apply, "tokens", dbk_slice("a\nb"), NULL), DBK_OK);
    place.next++;
    assert_int_equal(dbk_apply_commit(apply, &place, NULL), DBK_OK);
    bring_up(world);
    assert_int_equal(restore(world, true), DBK_OK);
    assert_int_equal(dbk_log_open(world->made, &options, &made, NULL), DBK_OK);
    assert_int_equal(dbk_log_kept(made, "tokens", &batch, &bytes, NULL), DBK_OK);
    assert_true(dbk_slice_equal(bytes, dbk_slice("a\nb")));
    assert_int_equal(dbk_log_kept(made, "others", &batch, &bytes, NULL), DBK_NOT_FOUND);
    dbk_log_close(made);
    dbk_batch_finish(&batch);
}

static void else_what_is_restored_is_a_log_of_its_own(void **state)
{
    struct dbk_log_options options = {.map_size = (size_t)1 << 30};
    struct world *world = *state;
    struct dbk_log *made;
    struct dbk_uuid id;

    back_up(world);
    assert_int_equal(restore(world, false), DBK_OK);
    assert_int_equal(dbk_log_open(world->made, &options, &made, NULL), DBK_OK);
    assert_int_equal(dbk_log_role(made), DBK_LOG_ALONE);
    id = dbk_log_store_id(made);
    assert_memory_not_equal(&id, &world->id, sizeof id);
    dbk_log_close(made);
}

static void a_member_is_restored_of_a_whole_member_only(void **state)
{
    struct world *world = *state;
    struct dbk_restore_options options = {.member = true, .to = 1};
    struct dbk_restored done;

    assert_int_equal(dbk_log_put_place(world->node.s.log, NULL, &world->node.s.err),
                     DBK_OK);
    back_up(world);
    assert_int_equal(restore(world, true), DBK_INVALID);
    assert_non_null(strstr(world->node.s.err.text, "no place in a cluster"));
    assert_int_not_equal(access(world->made, F_OK), 0);
    assert_int_equal(dbk_log_restore(world->backup, world->made, &options, &done,
                                     &world->node.s.err),
                     DBK_INVALID);
    assert_int_equal(
        dbk_log_put_place(world->node.s.log, &at_the_beginning, &world->node.s.err),
        DBK_OK);
}

static void verify_shows_the_place(void **state)
{
    struct world *world = *state;
    struct dbk_verify_result result;
    char said[200];

    close_node(world);
    result = verify(world, world->node.s.dir, said);
    open_node(world);
    assert_int_equal(result.findings, 0);
    assert_true(result.member);
    assert_int_equal(result.place.next, 2);
    assert_int_equal(result.place.epoch, 0);
}

/* Change meta behind the store's back; NULL: delete. */
static void put_meta(const char *dir, const char *name, const void *bytes,
                     size_t length)
{
    MDB_val key = {strlen(name), (void *)(uintptr_t)name};
    MDB_val value = {length, (void *)(uintptr_t)bytes};
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi meta;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &meta), 0);
    assert_int_equal(bytes ? mdb_put(txn, meta, &key, &value, 0)
                           : mdb_del(txn, meta, &key, NULL),
                     0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void a_place_that_cannot_be_is_a_finding_and_is_not_written_by(void **state)
{
    static const char wild[24] = "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
    struct world *world = *state;
    struct dbk_record event = draft_event(&world->kate);
    struct dbk_command *command = command_of(&event);
    char said[200];

    back_up(world);
    put_meta(world->backup, "place", NULL, 0);
    assert_int_equal(verify(world, world->backup, said).findings, 1);
    assert_non_null(strstr(said, "has no place there"));
    put_meta(world->backup, "place", wild, sizeof wild);
    assert_int_equal(verify(world, world->backup, said).findings, 1);
    assert_non_null(strstr(said, "damaged"));
    close_node(world);
    put_meta(world->node.s.dir, "place", wild, 3);
    open_node(world);
    assert_int_equal(
        dbk_log_submit(world->node.s.log, &command, 1, NULL, NULL, &world->node.s.err),
        DBK_DAMAGED);
    assert_int_equal(node_head(&world->node), 1);
    dbk_command_destroy(command);
}

/* As a program of before sees it. */
static void a_program_that_knows_no_places_refuses_a_member(void **state)
{
    struct world *world = *state;
    MDB_val key = {6, (void *)(uintptr_t) "format"}, value;
    uint32_t format;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi meta;

    back_up(world);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_open(env, world->backup, MDB_RDONLY, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &meta), 0);
    assert_int_equal(mdb_get(txn, meta, &key, &value), 0);
    memcpy(&format, value.mv_data, sizeof format);
    mdb_txn_abort(txn);
    mdb_env_close(env);
    assert_int_equal(format, 0x10001);
}

static void made_anew_indexes_leave_the_place(void **state)
{
    struct world *world = *state;

    close_node(world);
    assert_int_equal(
        dbk_log_repair_indexes(world->node.s.dir, NULL, NULL, &world->node.s.err),
        DBK_OK);
    open_node(world);
    assert_int_equal(place_of(&world->node).next, 2);
    record(world, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_backup_is_a_member_at_its_place),
        TEST(a_backup_that_is_brought_up_has_the_place_of_its_head),
        TEST(also_where_only_the_place_is_new),
        TEST(a_backup_from_before_the_cluster_gets_its_place),
        TEST(a_member_is_restored_as_one),
        TEST(what_the_members_share_comes_along),
        TEST(else_what_is_restored_is_a_log_of_its_own),
        TEST(a_member_is_restored_of_a_whole_member_only),
        TEST(verify_shows_the_place),
        TEST(a_place_that_cannot_be_is_a_finding_and_is_not_written_by),
        TEST(a_program_that_knows_no_places_refuses_a_member),
        TEST(made_anew_indexes_leave_the_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
