#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "import_file.h"
#include "store/replicated.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* A log, the files of an import, and what an import of them said. */
struct scene {
    char dir[32];
    char log_dir[64], persons[64], events[64];
    struct dbk_log *log;
    char *said; /* the complaints */
    struct import import;
    struct dbk_error err;
};

static int open_scene(void **state)
{
    struct scene *scene = calloc(1, sizeof *scene);
    struct dbk_error err = {0};
    /* A small map: sanitizers and other tests share the address space. */
    const struct dbk_log_options options = {.map_size = (size_t)1 << 30};

    if (!scene)
        return -1;
    strcpy(scene->dir, "/tmp/daybook-import-XXXXXX");
    if (!mkdtemp(scene->dir))
        return -1;
    snprintf(scene->log_dir, sizeof scene->log_dir, "%s/log", scene->dir);
    snprintf(scene->persons, sizeof scene->persons, "%s/persons.ndjson", scene->dir);
    snprintf(scene->events, sizeof scene->events, "%s/events.ndjson", scene->dir);
    *state = scene;
    return dbk_log_open(scene->log_dir, &options, &scene->log, &err) == DBK_OK ? 0 : -1;
}

static int close_scene(void **state)
{
    static const char *const files[] = {"log/data.mdb", "log/lock.mdb", "log",
                                        "persons.ndjson", "events.ndjson"};
    struct scene *scene = *state;
    char path[96];

    dbk_log_close(scene->log);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", scene->dir, files[i]);
        if (i == 2)
            rmdir(path);
        else
            unlink(path);
    }
    rmdir(scene->dir);
    free(scene->said);
    free(scene);
    return 0;
}

static void put_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* Persons and events of made-up, distinct ids. */
static void put_persons(const struct scene *scene, int count)
{
    FILE *file = fopen(scene->persons, "w");

    assert_non_null(file);
    for (int i = 0; i < count; i++)
        fprintf(file,
                "{\"id\":\"aaaaaaaa-0000-4000-8000-%012d\",\"email\":\"p%d@x.mock\","
                "\"first_name\":\"P\",\"last_name\":\"%d\",\"role\":\"user\","
                "\"datetime_created\":\"2015-09-12T00:00:00.000000\"}\n",
                i, i, i);
    assert_int_equal(fclose(file), 0);
}

static void put_event(FILE *file, int id, int person, const char *properties)
{
    fprintf(
        file,
        "{\"id\":\"bbbbbbbb-0000-4000-8000-%012d\",\"person_id\":\"aaaaaaaa-0000-4000-"
        "8000-%012d\",\"event_type\":\"page_edit\",\"datetime_created\":"
        "\"2015-09-11T00:46:58.771000\",\"properties\":%s}\n",
        id, person, properties);
}

static void put_events(const struct scene *scene, int count, int persons)
{
    FILE *file = fopen(scene->events, "w");

    assert_non_null(file);
    for (int i = 0; i < count; i++)
        put_event(file, i, i % persons, "{\"delta\":36,\"page\":\"R\xC3\xA4llicula\"}");
    assert_int_equal(fclose(file), 0);
}

static bool at_once(void *context)
{
    ++*(int *)context;
    return true;
}

/* Import one file into the scene's log with the options in scene->import. */
static enum dbk_code import_one(struct scene *scene, const char *path,
                                enum dbk_type type)
{
    struct progress progress;
    struct line_reader *lines;
    size_t size;
    enum dbk_code code;

    free(scene->said);
    scene->import.complaints = open_memstream(&scene->said, &size);
    assert_non_null(scene->import.complaints);
    scene->import.log = scene->log;
    scene->import.progress = &progress;
    progress_start(&progress, NULL);
    assert_int_equal(line_reader_open(path, &lines, &scene->err), DBK_OK);
    code = import_file(&scene->import, path, lines, type, &scene->err);
    line_reader_close(lines);
    import_finish(&scene->import);
    fclose(scene->import.complaints);
    return code;
}

/* A whole import, counted from zero. */
static enum dbk_code import_both(struct scene *scene, bool go_on)
{
    enum dbk_code code;

    scene->import = (struct import){.go_on = go_on};
    code = import_one(scene, scene->persons, DBK_PERSON_CREATED);
    if (code == DBK_OK)
        code = import_one(scene, scene->events, DBK_EVENT_RECORDED);
    return code;
}

static uint64_t head(const struct scene *scene)
{
    struct dbk_error err = {0};
    uint64_t sequence = 0;

    assert_int_equal(dbk_log_head(scene->log, &sequence, &err), DBK_OK);
    return sequence;
}

static void assert_said(const struct scene *scene, const char *path,
                        const char *expected)
{
    char text[512];

    snprintf(text, sizeof text, "%s:%s\n", path, expected);
    assert_string_equal(scene->said, text);
}

static void a_member_of_a_cluster_is_not_imported_into(void **state)
{
    const struct dbk_place place = {.epoch = -1, .reseed = -1};
    struct scene *scene = *state;

    put_persons(scene, 2);
    put_events(scene, 3, 2);
    assert_int_equal(dbk_log_put_place(scene->log, &place, &scene->err), DBK_OK);
    assert_int_equal(import_both(scene, true), DBK_NOT_LEADER);
    assert_non_null(strstr(scene->err.text, "member of a cluster"));
    assert_int_equal(head(scene), 0);
}

static void each_person_comes_with_a_signup(void **state)
{
    struct scene *scene = *state;
    struct dbk_batch batch = {0};
    struct dbk_record record;

    put_persons(scene, 2);
    put_events(scene, 3, 2);
    assert_int_equal(import_both(scene, false), DBK_OK);
    assert_int_equal(scene->import.persons_added, 2);
    assert_int_equal(scene->import.events_added, 3);
    assert_int_equal(head(scene), 2 * 2 + 3);
    assert_int_equal(dbk_log_read(scene->log, 0, 10, 100000, &batch, &scene->err),
                     DBK_OK);
    assert_int_equal(dbk_record_decode(batch.bytes + batch.entries[1].offset,
                                       batch.entries[1].length, &record, &scene->err),
                     DBK_OK);
    assert_int_equal(record.type, DBK_EVENT_RECORDED);
    assert_true(dbk_slice_equal(record.event_type, dbk_slice("signup")));
    assert_true(dbk_slice_equal(record.source, dbk_slice("import")));
    assert_true(record.has_datetime_created);
    assert_int_equal(record.person_id.bytes[0], 0xAA);
    assert_int_equal(dbk_record_decode(batch.bytes + batch.entries[4].offset,
                                       batch.entries[4].length, &record, &scene->err),
                     DBK_OK);
    assert_true(dbk_slice_equal(
        record.properties, dbk_slice("{\"delta\":36,\"page\":\"R\xC3\xA4llicula\"}")));
    dbk_batch_finish(&batch);
}

static void a_second_import_adds_nothing(void **state)
{
    struct scene *scene = *state;
    uint64_t before;

    put_persons(scene, 50);
    put_events(scene, 9000, 50); /* several batches */
    assert_int_equal(import_both(scene, false), DBK_OK);
    before = head(scene);
    assert_int_equal(before, 50 * 2 + 9000);
    assert_int_equal(import_both(scene, false), DBK_OK);
    assert_int_equal(head(scene), before);
    assert_int_equal(scene->import.persons_added, 0);
    assert_int_equal(scene->import.persons_there, 50);
    assert_int_equal(scene->import.events_added, 0);
    assert_int_equal(scene->import.events_there, 9000);
    assert_int_equal(scene->import.bad, 0);
}

static void an_id_twice_in_a_file_is_added_once(void **state)
{
    struct scene *scene = *state;
    FILE *file;

    put_persons(scene, 1);
    file = fopen(scene->events, "w");
    assert_non_null(file);
    put_event(file, 1, 0, "{\"a\":1,\"b\":2}");
    put_event(file, 1, 0, "{\"b\":2.0, \"a\":1}");
    fclose(file);
    assert_int_equal(import_both(scene, false), DBK_OK);
    assert_int_equal(scene->import.events_added, 1);
    assert_int_equal(scene->import.events_there, 1);
}

static void an_id_with_other_content_is_a_bad_line(void **state)
{
    struct scene *scene = *state;
    FILE *file;

    put_persons(scene, 1);
    file = fopen(scene->events, "w");
    assert_non_null(file);
    put_event(file, 1, 0, "{\"a\":1}");
    put_event(file, 1, 0, "{\"a\":2}");
    fclose(file);
    assert_int_equal(import_both(scene, true), DBK_OK);
    assert_int_equal(scene->import.bad, 1);
    assert_said(scene, scene->events,
                "2: id: an event with this id and another content is in the log, as "
                "record 3");
}

static void it_stops_at_the_first_bad_line_and_keeps_those_before(void **state)
{
    struct scene *scene = *state;
    FILE *file;

    put_persons(scene, 1);
    file = fopen(scene->events, "w");
    assert_non_null(file);
    for (int i = 0; i < 10; i++)
        put_event(file, i, 0, i == 6 ? "[]" : "{}");
    fclose(file);
    assert_int_equal(import_both(scene, false), DBK_INVALID);
    assert_said(scene, scene->events,
                "7: properties: expected an object, not an array");
    assert_int_equal(scene->import.events_added, 6);
    assert_int_equal(scene->import.bad, 1);
    assert_int_equal(head(scene), 2 + 6);
}

static void it_stops_at_what_the_log_refuses(void **state)
{
    struct scene *scene = *state;
    FILE *file;

    put_persons(scene, 1);
    file = fopen(scene->events, "w");
    assert_non_null(file);
    put_event(file, 1, 0, "{}");
    put_event(file, 2, 77, "{}"); /* nobody has this id */
    put_event(file, 3, 78, "{}");
    fclose(file);
    assert_int_equal(import_both(scene, false), DBK_INVALID);
    assert_non_null(strstr(scene->said, "events.ndjson:2: "));
    assert_null(strstr(scene->said, "events.ndjson:3: "));
    assert_int_equal(scene->import.events_added, 1);
}

static void nothing_of_the_batch_behind_a_refusal_is_appended(void **state)
{
    struct scene *scene = *state;
    FILE *file;

    put_persons(scene, 1);
    file = fopen(scene->events, "w");
    assert_non_null(file);
    for (int i = 0; i < 3 * IMPORT_BATCH_LINES; i++)
        put_event(file, i, i == 10 ? 7 : 0, "{}");
    assert_int_equal(fclose(file), 0);

    assert_int_equal(import_both(scene, false), DBK_INVALID);
    assert_said(scene, scene->events,
                "11: there is no person aaaaaaaa-0000-4000-8000-000000000007");
    assert_int_equal(head(scene), 2 + IMPORT_BATCH_LINES - 1);
    assert_int_equal(scene->import.done, IMPORT_BATCH_LINES);
    assert_int_equal(scene->import.bad, 1);
}

static void batches_are_appended_in_the_order_of_their_lines(void **state)
{
    struct scene *scene = *state;
    struct dbk_batch batch = {0};
    struct dbk_record record;
    int count = 3 * IMPORT_BATCH_LINES + 5;

    put_persons(scene, 1);
    put_events(scene, count, 1);
    assert_int_equal(import_both(scene, false), DBK_OK);
    assert_int_equal(scene->import.events_added, count);
    assert_int_equal(head(scene), 2 + count);
    for (int i = 0; i < count; i++) {
        char id[DBK_UUID_TEXT + 1], expected[DBK_UUID_TEXT + 1];

        assert_int_equal(dbk_log_read(scene->log, 2 + (uint64_t)i, 1, DBK_RECORD_MAX,
                                      &batch, &scene->err),
                         DBK_OK);
        assert_int_equal(dbk_record_decode(batch.bytes, batch.entries[0].length,
                                           &record, &scene->err),
                         DBK_OK);
        dbk_uuid_format(&record.subject, id);
        snprintf(expected, sizeof expected, "bbbbbbbb-0000-4000-8000-%012d", i);
        assert_string_equal(id, expected);
    }
    dbk_batch_finish(&batch);
}

static void continue_goes_on_past_every_bad_line(void **state)
{
    struct scene *scene = *state;
    FILE *file;

    put_text(scene->persons,
             "{\"id\":\"aaaaaaaa-0000-4000-8000-000000000000\",\"email\":\"p@x\","
             "\"first_name\":\"P\",\"last_name\":\"Q\","
             "\"datetime_created\":\"2015-09-12T00:00:00\"}\n"
             "\n"
             "not json\n"
             "{\"id\":\"aaaaaaaa-0000-4000-8000-000000000001\",\"email\":\"P@X\","
             "\"first_name\":\"P\",\"last_name\":\"Q\","
             "\"datetime_created\":\"2015-09-12T00:00:00\"}\n");
    scene->import = (struct import){.go_on = true};
    assert_int_equal(import_one(scene, scene->persons, DBK_PERSON_CREATED), DBK_OK);
    assert_int_equal(scene->import.persons_added, 1);
    assert_int_equal(scene->import.bad, 2);
    assert_non_null(
        strstr(scene->said, ":3: line 1, column 1: expected a JSON value\n"));
    assert_non_null(strstr(scene->said, ":4: ")); /* the email is taken */

    file = fopen(scene->events, "w");
    assert_non_null(file);
    put_event(file, 1, 0, "{}");
    put_event(file, 2, 5, "{}");
    fprintf(file, "{\"\\u009b\\n\":%0*d}\n", 2000000, 0);
    fprintf(file, "{\"\\u009b\\n\":1}\n");
    put_event(file, 3, 0, "{}");
    fclose(file);
    assert_int_equal(import_one(scene, scene->events, DBK_EVENT_RECORDED), DBK_OK);
    assert_int_equal(scene->import.events_added, 2);
    assert_int_equal(scene->import.bad, 5);
    assert_non_null(strstr(scene->said, "events.ndjson:2: "));
    assert_non_null(
        strstr(scene->said, "events.ndjson:3: more than 1 MiB in one line\n"));
    assert_non_null(strstr(scene->said, "events.ndjson:4: "));
    assert_null(strstr(scene->said, "\xC2\x9B")); /* a terminal would obey it */
}

static void interrupted_it_says_how_far_it_got_and_goes_on_later(void **state)
{
    struct scene *scene = *state;
    int asked = 0;
    const struct dbk_watch watch = {.stop = at_once, .context = &asked};

    put_persons(scene, 10);
    put_events(scene, 10000, 10);
    scene->import = (struct import){0};
    assert_int_equal(import_one(scene, scene->persons, DBK_PERSON_CREATED), DBK_OK);
    scene->import.watch = &watch;
    assert_int_equal(import_one(scene, scene->events, DBK_EVENT_RECORDED),
                     DBK_UNAVAILABLE);
    assert_int_equal(asked, 1);
    assert_non_null(strstr(scene->err.text, "after line 4096: interrupted"));
    assert_int_equal(head(scene), 20 + 4096);

    assert_int_equal(import_both(scene, false), DBK_OK);
    assert_int_equal(scene->import.events_there, 4096);
    assert_int_equal(scene->import.events_added, 10000 - 4096);
    assert_int_equal(head(scene), 20 + 10000);
}

static void a_file_that_breaks_off_keeps_what_was_read(void **state)
{
    struct scene *scene = *state;
    char command[512];

    put_persons(scene, 100);
    snprintf(command, sizeof command,
             "gzip -1 %s && head -c 900 %s.gz > %s && rm %s.gz", scene->persons,
             scene->persons, scene->persons, scene->persons);
    assert_int_equal(system(command), 0);
    scene->import = (struct import){0};
    assert_int_equal(import_one(scene, scene->persons, DBK_PERSON_CREATED),
                     DBK_DAMAGED);
    assert_non_null(strstr(scene->err.text, "the gzip file is cut short"));
    assert_true(scene->import.persons_added > 0);
    assert_int_equal(head(scene), 2 * scene->import.persons_added);
}

static void types_outside_the_configured_ones_are_bad_lines(void **state)
{
    const char *const types[] = {"click", NULL};
    const struct dbk_body_rules rules = {.event_types = types};
    struct scene *scene = *state;

    put_persons(scene, 1);
    put_events(scene, 1, 1);
    scene->import = (struct import){.rules = &rules};
    assert_int_equal(import_one(scene, scene->persons, DBK_PERSON_CREATED), DBK_OK);
    assert_int_equal(import_one(scene, scene->events, DBK_EVENT_RECORDED), DBK_INVALID);
    assert_said(scene, scene->events, "1: event_type: must be one of: click");
}

static void a_person_that_cannot_be_drafted_leaves_the_batch_as_it_was(void **state)
{
    char email[DBK_EMAIL_MAX + 1] = "";
    struct dbk_body body = {.record = {.type = DBK_PERSON_CREATED}};
    struct import_batch batch = {0};
    struct scene *scene = *state;

    body.record.person.has = DBK_HAS_EMAIL;
    body.record.person.email = (struct dbk_slice){email, sizeof email};
    assert_int_equal(import_batch_add(&batch, 1, 100, &body, &scene->err),
                     DBK_TOO_LARGE);
    assert_int_equal(batch.count, 0);
    assert_int_equal(batch.bytes, 0);
    import_batch_finish(&batch);
}

int main(void)
{
#define scene_test(name) cmocka_unit_test_setup_teardown(name, open_scene, close_scene)
    const struct CMUnitTest tests[] = {
        scene_test(a_member_of_a_cluster_is_not_imported_into),
        scene_test(each_person_comes_with_a_signup),
        scene_test(a_second_import_adds_nothing),
        scene_test(an_id_twice_in_a_file_is_added_once),
        scene_test(an_id_with_other_content_is_a_bad_line),
        scene_test(it_stops_at_the_first_bad_line_and_keeps_those_before),
        scene_test(it_stops_at_what_the_log_refuses),
        scene_test(nothing_of_the_batch_behind_a_refusal_is_appended),
        scene_test(batches_are_appended_in_the_order_of_their_lines),
        scene_test(continue_goes_on_past_every_bad_line),
        scene_test(interrupted_it_says_how_far_it_got_and_goes_on_later),
        scene_test(a_file_that_breaks_off_keeps_what_was_read),
        scene_test(types_outside_the_configured_ones_are_bad_lines),
        scene_test(a_person_that_cannot_be_drafted_leaves_the_batch_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
