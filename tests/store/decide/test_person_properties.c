/* Properties of persons: merged where the record is decided. */
#include "log/identity_log.h"

/* Stands for a merge of JSON: the patch behind what there is; "-" takes all away, "!" is
 * refused. */
static enum dbk_code merge_text(struct dbk_slice current, struct dbk_slice patch,
                                char *out, size_t size, size_t *length,
                                struct dbk_error *err)
{
    *length = 0;
    if (patch.data[0] == '!')
        return dbk_fail(err, DBK_TOO_LARGE, "too much");
    if (patch.data[0] == '-')
        return DBK_OK;
    assert_true(current.length + patch.length <= size);
    if (current.length)
        memcpy(out, current.data, current.length);
    memcpy(out + current.length, patch.data, patch.length);
    *length = current.length + patch.length;
    return DBK_OK;
}

static struct dbk_command *patch_of(const struct dbk_uuid *id, const char *patch)
{
    struct dbk_record draft = draft_of(DBK_PERSON_UPDATED, id);
    struct dbk_command *command;

    draft.person.has = DBK_HAS_PROPERTIES;
    draft.person.properties = dbk_slice(patch);
    command = command_of(&draft);
    dbk_command_merge(command, merge_text);
    return command;
}

static void assert_properties(struct scratch *s, const struct dbk_uuid *id,
                              const char *expected)
{
    struct dbk_person_state person;
    struct dbk_batch batch = {0};
    struct dbk_slice properties;

    assert_int_equal(dbk_log_person(s->log, id, &person, &s->err), DBK_OK);
    assert_int_equal(
        dbk_log_person_properties(s->log, &person, &batch, &properties, &s->err),
        DBK_OK);
    assert_true(dbk_slice_equal(properties, dbk_slice(expected)));
    dbk_batch_finish(&batch);
}

static void properties_are_merged_where_the_record_is_decided(void **state)
{
    struct scratch *s = *state;
    struct dbk_uuid kate = add_person(s, "kate@x.mock");
    struct dbk_record event = draft_event(&kate), first;
    struct dbk_command *command = patch_of(&kate, "ab");

    assert_int_equal(submit_command(s, command).code, DBK_OK);
    assert_properties(s, &kate, "ab");
    assert_int_equal(dbk_command_add(command, &event, NULL), DBK_OK);
    assert_int_equal(submit_command(s, command).code,
                     DBK_OK); /* the same patch again */
    assert_properties(s, &kate, "abab");
    dbk_command_first(command, &first);
    assert_true(dbk_slice_equal(first.person.properties, dbk_slice("abab")));
    dbk_command_destroy(command);

    command = patch_of(&kate, "!");
    assert_int_equal(submit_command(s, command).code, DBK_TOO_LARGE);
    dbk_command_destroy(command);
    command = patch_of(&kate, "-");
    assert_int_equal(submit_command(s, command).code, DBK_OK);
    assert_properties(s, &kate, "");
    assert_int_equal(submit_command(s, command).first_sequence, 0); /* none already */
    dbk_command_destroy(command);
    assert_verifies(s);
}

static void the_same_properties_change_nothing(void **state)
{
    struct scratch *s = *state;
    struct dbk_record kate = draft_known("crm|1"), update;

    kate.person.has |= DBK_HAS_PROPERTIES;
    kate.person.properties = dbk_slice("{\"a\":1}");
    assert_int_equal(submit(s, &kate).code, DBK_OK);
    assert_properties(s, &kate.subject, "{\"a\":1}");
    update = draft_of(DBK_PERSON_UPDATED, &kate.subject);
    update.person.has = DBK_HAS_PROPERTIES;
    update.person.properties = kate.person.properties;
    assert_int_equal(submit(s, &update).first_sequence, 0);
    update.person.properties = dbk_slice("{\"a\":2}");
    assert_int_equal(submit(s, &update).first_sequence, 2);
    assert_properties(s, &kate.subject, "{\"a\":2}");
    update.person.properties = dbk_slice("");
    assert_int_equal(submit(s, &update).first_sequence, 3);
    assert_properties(s, &kate.subject, "");
    assert_verifies(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(properties_are_merged_where_the_record_is_decided),
        TEST(the_same_properties_change_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
