/* What is told of who was erased: how many records became unreadable, with the history index
 * and without it, and what the ring says. */
#include "log/kate_log.h"

#include "scripted_commits.h"
#include "store/clock.h"
#include "store/erasure.h"

enum { PATIENCE_MS = 60000, EVENTS = 4200 };

static void index_of(const struct scratch *s, char out[120])
{
    snprintf(out, 120, "%s.history", s->dir);
}

/* An index of all that is there. */
static struct dbk_history *grown(struct scratch *s)
{
    const struct dbk_history_options options = {.records = 1};
    struct dbk_history *history;
    char dir[120];
    uint64_t head;
    int64_t until = dbk_clock_ms() + PATIENCE_MS;

    index_of(s, dir);
    assert_int_equal(dbk_history_start(dir, s->log, &options, &history, NULL), DBK_OK);
    assert_int_equal(dbk_log_head(s->log, &head, NULL), DBK_OK);
    while (dbk_history_position(history) < head) {
        assert_true(dbk_clock_ms() < until);
        usleep(1000);
    }
    return history;
}

static struct dbk_erasure found(struct scratch *s, struct dbk_history *history,
                                const struct dbk_uuid *person)
{
    struct dbk_erasure erasure;

    if (dbk_erasure_find(s->log, history, person, 0, &erasure, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
    assert_true(erasure.bytes.length > 0);
    dbk_erasure_finish(&erasure);
    return erasure;
}

static uint64_t erase(struct scratch *s, const struct dbk_uuid *person)
{
    struct dbk_verdict verdict = delete_it(s, DBK_PERSON_ERASED, person);

    assert_int_equal(verdict.code, DBK_OK);
    return verdict.sequence;
}

/* Of her: person.created, her event, person.aliased, and the event of before, which nobody
 * could say to be hers by any other thing than its key. */
static void records_are_counted_by_their_keys(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s), other = {.person = draft_person("o@x.mock")};
    struct dbk_erasure erasure;
    uint64_t sequence;

    assert_int_equal(submit(s, &other.person).code, DBK_OK);
    sequence = erase(s, &kate.person.subject);
    erasure = found(s, NULL, &kate.person.subject);
    assert_true(dbk_uuid_equal(&erasure.person, &kate.person.subject));
    assert_int_equal(erasure.sequence, sequence);
    assert_int_equal(erasure.keys, 2);
    assert_true(erasure.counted);
    assert_int_equal(erasure.records, 4);
    assert_true(erasure.has_ring && erasure.destroyed);
    assert_true(erasure.erased_at > 0);
}

static void an_index_made_before_or_after_counts_the_same(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_history *history = grown(s);
    char dir[120];

    erase(s, &kate.person.subject);
    assert_int_equal(found(s, history, &kate.person.subject).records, 4);
    dbk_history_close(history);
    index_of(s, dir);
    dbk_history_remove(dir);
    history = grown(s);
    assert_int_equal(found(s, history, &kate.person.subject).records, 4);
    dbk_history_close(history);
    dbk_history_remove(dir);
}

static void add_events(struct scratch *s, const struct dbk_uuid *person)
{
    static struct dbk_command *commands[EVENTS];

    for (size_t i = 0; i < EVENTS; i++) {
        struct dbk_record event = draft_event(person);

        commands[i] = dbk_command_create();
        assert_int_equal(dbk_command_add(commands[i], &event, NULL), DBK_OK);
    }
    assert_int_equal(dbk_log_submit(s->log, commands, EVENTS, NULL, NULL, NULL),
                     DBK_OK);
    for (size_t i = 0; i < EVENTS; i++)
        dbk_command_destroy(commands[i]);
}

/* A page of a history holds 4,096. */
static void more_than_a_page_is_counted(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_erasure erasure;

    add_events(s, &kate.person.subject);
    erase(s, &kate.person.subject);
    assert_int_equal(found(s, NULL, &kate.person.subject).records, EVENTS + 4);
    assert_int_equal(
        dbk_erasure_find(s->log, NULL, &kate.person.subject, 100, &erasure, NULL),
        DBK_OK);
    assert_false(erasure.counted);
    dbk_erasure_finish(&erasure);
}

/* What they are counted by is in the clear, so a count that is kept is never short. */
static void they_are_counted_while_the_ring_is_away(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_history *history = grown(s);
    char ring[140], aside[150], dir[120];
    struct dbk_erasure erasure;
    int64_t until = dbk_clock_ms() + PATIENCE_MS;

    erase(s, &kate.person.subject);
    snprintf(ring, sizeof ring, "%s.keys/ring", s->dir);
    snprintf(aside, sizeof aside, "%s.aside", ring);
    assert_int_equal(rename(ring, aside), 0);
    while (dbk_keys_work(s->keys, &s->err) == DBK_OK)
        assert_true(dbk_clock_ms() < until);
    assert_int_equal(
        dbk_erasure_find(s->log, history, &kate.person.subject, 0, &erasure, &s->err),
        DBK_KEYS_AWAY);
    dbk_erasure_finish(&erasure);
    assert_int_equal(rename(aside, ring), 0);
    assert_int_equal(found(s, history, &kate.person.subject).records, 4);
    dbk_history_close(history);
    index_of(s, dir);
    dbk_history_remove(dir);
}

/* Not for each page anew. */
static void so_many_records_are_looked_at_for_all_pages(void **state)
{
    enum { LOOKS = 4150 }; /* more than a page, and less than two */
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_uuid other = add_person(s, "other@x.mock");
    struct dbk_erasure erasure;

    add_events(s, &kate.person.subject);
    add_events(s, &other);
    erase(s, &kate.person.subject);
    assert_int_equal(
        dbk_erasure_find(s->log, NULL, &kate.person.subject, LOOKS, &erasure, NULL),
        DBK_OK);
    assert_false(erasure.counted);
    dbk_erasure_finish(&erasure);
}

/* By an index, which goes on where it was left. */
static void what_was_not_looked_at_is_when_it_is_asked_again(void **state)
{
    enum { LOOKS = 1500 };
    struct scratch *s = *state;
    struct kate kate = add_kate(s), other = {.person = draft_person("o@x.mock")};
    struct dbk_history *history;
    struct dbk_erasure erasure;
    int asked = 0;

    assert_int_equal(submit(s, &other.person).code, DBK_OK);
    add_events(s, &kate.person.subject);
    erase(s, &kate.person.subject);
    erase(s, &other.person.subject);
    history = grown(s);
    do {
        assert_int_equal(dbk_erasure_find(s->log, history, &kate.person.subject, LOOKS,
                                          &erasure, NULL),
                         DBK_OK);
        dbk_erasure_finish(&erasure);
        assert_int_equal(found(s, history, &other.person.subject).records, 1);
    } while (!erasure.counted && ++asked < 10);
    assert_true(erasure.counted);
    assert_int_equal(erasure.records, EVENTS + 4);
    assert_true(asked >= 2);
    assert_int_equal(found(s, history, &kate.person.subject).records, EVENTS + 4);
    dbk_history_close(history);
}

static void who_was_deleted_first_counts_too(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);

    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &kate.person.subject).code,
                     DBK_OK);
    erase(s, &kate.person.subject);
    assert_int_equal(found(s, NULL, &kate.person.subject).records, 4);
}

/* What the log alone tells, for who has no ring. */
static void without_the_ring_the_log_tells_its_part(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_erasure erasure;

    erase(s, &kate.person.subject);
    assert_int_equal(open_with(s, NULL, true), DBK_OK);
    erasure = found(s, NULL, &kate.person.subject);
    assert_int_equal(erasure.records, 4);
    assert_false(erasure.has_ring);
}

enum { METAS = 2 * 4096 }; /* LMDB's: which state of the file is the last */

static void read_metas(const struct scratch *s, char metas[METAS])
{
    char data[128];
    int fd;

    snprintf(data, sizeof data, "%s/data.mdb", s->dir);
    fd = open(data, O_RDONLY);
    assert_int_equal(read(fd, metas, METAS), METAS);
    close(fd);
}

/* The log at the state of before the last two commits, whose pages are there still: as a disk
 * leaves it that forgot commits. */
static void go_back(struct scratch *s, const char metas[METAS])
{
    struct dbk_record event = draft_anonymous("nobody");
    struct dbk_command *command = command_of(&event);
    char data[128];
    int fd;

    snprintf(data, sizeof data, "%s/data.mdb", s->dir);
    fd = open(data, O_WRONLY);
    assert_int_equal(write(fd, metas, METAS), METAS);
    close(fd);
    commits = "x"; /* so that it is opened again */
    assert_int_not_equal(dbk_log_submit(s->log, &command, 1, NULL, NULL, &s->err),
                         DBK_OK);
    dbk_command_destroy(command);
}

static size_t count_found(struct scratch *s, struct dbk_history *history,
                          const struct dbk_uuid *id)
{
    struct dbk_person_records person;
    uint64_t sequences[16];
    struct dbk_history_page page = {.limit = 16, .sequences = sequences};

    assert_int_equal(dbk_person_records_init(&person, s->log, id, NULL), DBK_OK);
    assert_int_equal(dbk_history_find(history, &person, &page, &s->err), DBK_OK);
    dbk_person_records_finish(&person);
    return page.count;
}

static void wait_for_all(struct scratch *s, struct dbk_history *history)
{
    int64_t until = dbk_clock_ms() + PATIENCE_MS;

    while (dbk_history_position(history) != head_of(s)) {
        assert_true(dbk_clock_ms() < until);
        usleep(1000);
    }
}

/* Then a number is given again, to an anonymous id where it was a person's. */
static void whose_a_key_was_is_forgotten_where_the_log_goes_back(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid one = add_person(s, "one@x.mock"), two, three;
    struct dbk_record event;
    struct dbk_history *history;
    char metas[METAS], dir[120];

    read_metas(s, metas);
    two = add_person(s, "two@x.mock");
    event = draft_event(&two);
    assert_int_equal(submit(s, &event).code, DBK_OK);
    history = grown(s);
    go_back(s, metas);
    assert_int_equal(head_of(s), 1);
    record_anonymous(s, "A");
    assert_int_equal(alias(s, &one, "A").code, DBK_OK);
    record_anonymous(s, "A"); /* says `one` in the clear */
    assert_int_equal(unalias(s, &one, "A").code, DBK_OK);
    three = add_person(s, "three@x.mock");
    assert_int_equal(alias(s, &three, "A").code, DBK_OK);
    wait_for_all(s, history);
    assert_int_equal(count_found(s, NULL, &three), 4);
    assert_int_equal(count_found(s, history, &three), 4);
    dbk_history_close(history);
    index_of(s, dir);
    dbk_history_remove(dir);
}

static void of_others_there_is_nothing_to_tell(void **state)
{
    struct scratch *s = *state;
    struct kate kate = add_kate(s);
    struct dbk_erasure erasure;

    assert_int_equal(
        dbk_erasure_find(s->log, NULL, &(struct dbk_uuid){{9}}, 0, &erasure, &s->err),
        DBK_NOT_FOUND);
    assert_int_equal(
        dbk_erasure_find(s->log, NULL, &kate.person.subject, 0, &erasure, &s->err),
        DBK_CONFLICT);
    assert_non_null(strstr(s->err.text, "is there, and not erased"));
    assert_int_equal(delete_it(s, DBK_PERSON_DELETED, &kate.person.subject).code,
                     DBK_OK);
    assert_int_equal(
        dbk_erasure_find(s->log, NULL, &kate.person.subject, 0, &erasure, &s->err),
        DBK_CONFLICT);
    assert_non_null(strstr(s->err.text, "was deleted, and not erased"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_are_counted_by_their_keys),
        TEST(an_index_made_before_or_after_counts_the_same),
        TEST(more_than_a_page_is_counted),
        TEST(they_are_counted_while_the_ring_is_away),
        TEST(so_many_records_are_looked_at_for_all_pages),
        TEST(what_was_not_looked_at_is_when_it_is_asked_again),
        TEST(who_was_deleted_first_counts_too),
        TEST(without_the_ring_the_log_tells_its_part),
        TEST(whose_a_key_was_is_forgotten_where_the_log_goes_back),
        TEST(of_others_there_is_nothing_to_tell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
