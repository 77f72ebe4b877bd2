/* What is held of a person, as of one sequence, whatever is appended meanwhile. */
#include "http/person_export.h"

#include "scratch_dir.h"

#include <stdlib.h>

static struct dbk_log *log_;
static char dir[SCRATCH_DIR_MAX];
static struct dbk_error err;
static struct dbk_uuid kate;
static int changes; /* of her, each before another look at the log's head */

static uint64_t submit(const struct dbk_record *draft)
{
    struct dbk_command *command = dbk_command_create();
    uint64_t sequence;

    assert_int_equal(dbk_command_add(command, draft, &err), DBK_OK);
    assert_int_equal(dbk_log_submit(log_, &command, 1, NULL, NULL, &err), DBK_OK);
    assert_int_equal(dbk_command_verdict(command)->code, DBK_OK);
    sequence = dbk_command_verdict(command)->sequence;
    dbk_command_destroy(command);
    return sequence;
}

static uint64_t rename_her(void)
{
    static int times;
    char name[32];
    struct dbk_record updated = {.type = DBK_PERSON_UPDATED, .subject = kate};

    snprintf(name, sizeof name, "Name %d", ++times);
    updated.person.has = DBK_HAS_LAST_NAME;
    updated.person.last_name = dbk_slice(name);
    return submit(&updated);
}

static uint64_t add_event(const char *properties)
{
    const struct dbk_record event = {.type = DBK_EVENT_RECORDED,
                                     .subject = dbk_uuid_new(),
                                     .person_id = kate,
                                     .event_type = dbk_slice("click"),
                                     .properties = dbk_slice(properties)};

    return submit(&event);
}

enum dbk_code __real_dbk_log_head(struct dbk_log *log, uint64_t *head,
                                  struct dbk_error *why);
enum dbk_code __wrap_dbk_log_head(struct dbk_log *log, uint64_t *head,
                                  struct dbk_error *why);
enum dbk_code __wrap_dbk_log_head(struct dbk_log *log, uint64_t *head,
                                  struct dbk_error *why)
{
    if (changes > 0) {
        changes--;
        rename_her();
    }
    return __real_dbk_log_head(log, head, why);
}

static int setup(void **state)
{
    const struct dbk_log_options options = {.map_size = (size_t)1 << 30};
    struct dbk_record made = {.type = DBK_PERSON_CREATED, .subject = dbk_uuid_new()};
    (void)state;

    scratch_dir_make(dir);
    if (dbk_log_open(dir, &options, &log_, &err) != DBK_OK)
        fail_msg("%s", err.text);
    made.person.has = DBK_HAS_ALL;
    made.person.email = dbk_slice("kate@x.mock");
    made.person.first_name = dbk_slice("Kate");
    made.person.last_name = dbk_slice("Pryde");
    made.person.role = DBK_ROLE_USER;
    kate = made.subject;
    changes = 0;
    submit(&made);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    dbk_log_close(log_);
    scratch_dir_remove(dir);
    return 0;
}

/* All of it; to be freed. *pieces and *largest may be NULL. */
static char *export_all(size_t *pieces, size_t *largest)
{
    struct dbk_person_export *export;
    struct dbk_render out;
    size_t count = 0, most = 0, before = 0;
    enum dbk_code code;
    bool more = true;

    dbk_render_init(&out, 0);
    if (dbk_person_export_begin(log_, NULL, &kate, &export, &err) != DBK_OK)
        fail_msg("%s", err.text);
    while (more) {
        more = dbk_person_export_next(export, &out, &code, &err);
        assert_int_equal(code, DBK_OK);
        most = out.length - before > most ? out.length - before : most;
        before = out.length;
        count++;
    }
    dbk_person_export_end(export);
    if (pieces)
        *pieces = count;
    if (largest)
        *largest = most;
    dbk_render_raw(&out, "", 1);
    return out.text;
}

static void what_changes_while_it_begins_is_read_again(void **state)
{
    char *text;
    uint64_t sequence;
    (void)state;

    changes = 5;
    text = export_all(NULL, NULL);
    assert_int_equal(changes, 0);
    sequence = strtoull(strstr(text, "\"sequence\":") + 11, NULL, 10);
    assert_int_equal(sequence, 6);
    assert_non_null(strstr(text, "\"sequence\":6,\"recorded_at\""));
    free(text);
}

static void who_changes_all_the_time_is_told_to_be_busy(void **state)
{
    struct dbk_person_export *export;
    (void)state;

    changes = 1000;
    assert_int_equal(dbk_person_export_begin(log_, NULL, &kate, &export, &err),
                     DBK_BUSY);
    assert_null(export);
    changes = 0;
}

static void what_comes_behind_its_sequence_is_not_told(void **state)
{
    struct dbk_person_export *export;
    struct dbk_render out;
    enum dbk_code code;
    (void)state;

    dbk_render_init(&out, 0);
    assert_int_equal(dbk_person_export_begin(log_, NULL, &kate, &export, &err), DBK_OK);
    assert_int_equal(dbk_person_export_sequence(export), 1);
    rename_her();
    add_event("{\"later\": 1}");
    assert_false(dbk_person_export_next(export, &out, &code, &err));
    assert_int_equal(code, DBK_OK);
    dbk_render_raw(&out, "", 1);
    assert_null(strstr(out.text, "later"));
    assert_null(strstr(out.text, "person.updated"));
    assert_non_null(strstr(out.text, "\"last_name\":\"Pryde\""));
    dbk_person_export_end(export);
    dbk_render_finish(&out);
}

static void a_long_one_comes_in_pieces_that_do_not_grow(void **state)
{
    static char properties[10000] = "{\"x\": \"";
    size_t pieces, largest, records = 0;
    char *text;
    (void)state;

    memset(properties + 7, 'x', sizeof properties - 10);
    memcpy(properties + sizeof properties - 3, "\"}", 3);
    for (int i = 0; i < 600; i++) /* more than are looked up at a time */
        add_event(properties);
    text = export_all(&pieces, &largest);
    assert_in_range(pieces, 40, 60);
    assert_true(largest < (128 << 10) + 2 * sizeof properties);
    for (const char *at = text; (at = strstr(at, "event.recorded")); at++)
        records++;
    assert_int_equal(records, 600);
    free(text);
}

static void nobody_is_not_found(void **state)
{
    struct dbk_person_export *export;
    (void)state;

    kate = dbk_uuid_new();
    assert_int_equal(dbk_person_export_begin(log_, NULL, &kate, &export, &err),
                     DBK_NOT_FOUND);
}

static void a_text_that_is_full_is_told(void **state)
{
    struct dbk_person_export *export;
    struct dbk_render out;
    enum dbk_code code;
    (void)state;

    dbk_render_init(&out, 16);
    assert_int_equal(dbk_person_export_begin(log_, NULL, &kate, &export, &err), DBK_OK);
    assert_false(dbk_person_export_next(export, &out, &code, &err));
    assert_int_equal(code, DBK_NO_MEMORY);
    dbk_person_export_end(export);
    dbk_render_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_changes_while_it_begins_is_read_again,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(who_changes_all_the_time_is_told_to_be_busy,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_comes_behind_its_sequence_is_not_told,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_long_one_comes_in_pieces_that_do_not_grow,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(a_text_that_is_full_is_told, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
