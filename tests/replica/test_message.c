#include "message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct message batch_message(void)
{
    return (struct message){.type = MESSAGE_BATCH,
                            .epoch = 41,
                            .store_id = {{1, 2, 3}},
                            .first = 0x0102030405060708,
                            .count = 2,
                            .before = 0xCAFEBABE,
                            .reseed = -1,
                            .node = dbk_slice("db1"),
                            .body = dbk_slice("records and keys")};
}

static char *encoded(const struct message *message, size_t *length)
{
    char *bytes;

    assert_int_equal(message_encode(message, &bytes, length, NULL), DBK_OK);
    return bytes;
}

static void assert_same(const struct message *a, const struct message *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->reseeds, b->reseeds);
    assert_true(a->epoch == b->epoch && a->first == b->first);
    assert_true(a->count == b->count && a->before == b->before);
    assert_true(a->reseed == b->reseed);
    assert_true(dbk_uuid_equal(&a->store_id, &b->store_id));
    assert_true(dbk_slice_equal(a->node, b->node));
    assert_true(dbk_slice_equal(a->url, b->url));
    assert_true(dbk_slice_equal(a->keys, b->keys));
    assert_true(dbk_slice_equal(a->body, b->body));
}

static void what_was_written_is_read(void **state)
{
    struct message messages[] = {
        batch_message(),
        {.type = MESSAGE_OPENING,
         .reseeds = true,
         .epoch = -1,
         .first = 7,
         .before = 9,
         .reseed = 12,
         .node = dbk_slice("db2"),
         .url = dbk_slice("https://db2.example.org")},
        {.type = MESSAGE_GENESIS, .epoch = -1, .reseed = -1},
        {.type = MESSAGE_BATCH, .epoch = 2, .first = 9, .body = dbk_slice("keys")},
        {.type = MESSAGE_GENESIS,
         .epoch = -1,
         .reseed = -1,
         .keys = dbk_slice("of the ring")},
        {.type = MESSAGE_BATCH,
         .epoch = 2,
         .first = 9,
         .count = 1,
         .url = dbk_slice("https://db3.example.org"),
         .keys = dbk_slice("the next"),
         .body = dbk_slice("a record")},
        {.type = MESSAGE_HAND_OVER, .epoch = 3, .reseed = -1, .body = dbk_slice("db3")},
        {.type = MESSAGE_TOKENS, .epoch = -1, .reseed = -1, .body = dbk_slice("{}\n")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        struct message out;
        size_t length;
        char *bytes = encoded(&messages[i], &length);

        assert_int_equal(message_decode(bytes, length, &out, NULL), DBK_OK);
        assert_same(&messages[i], &out);
        free(bytes);
    }
}

/* So that a message of today is read by every later version. */
static void the_bytes_stay_where_they_are(void **state)
{
    static const unsigned char front[MESSAGE_HEADER] = {
        'D',  'B',  'K',  'C',  1, 3,    0,    0,    41,   0,    0,    0,    0,
        0,    0,    0,    1,    2, 3,    0,    0,    0,    0,    0,    0,    0,
        0,    0,    0,    0,    0, 0,    8,    7,    6,    5,    4,    3,    2,
        1,    2,    0,    0,    0, 0xBE, 0xBA, 0xFE, 0xCA, 0xFF, 0xFF, 0xFF, 0xFF,
        0xFF, 0xFF, 0xFF, 0xFF, 3, 0,    0,    0,    0,    0,    0,    0};
    struct message message = batch_message();
    size_t length;
    char *bytes = encoded(&message, &length);

    (void)state;
    assert_int_equal(length, MESSAGE_HEADER + 3 + strlen("records and keys"));
    assert_memory_equal(bytes, front, 64);
    assert_memory_equal(bytes + MESSAGE_HEADER, "db1records and keys", 19);
    free(bytes);
}

static void any_changed_byte_is_noticed(void **state)
{
    struct message message = batch_message(), out;
    size_t length;
    char *bytes = encoded(&message, &length);

    (void)state;
    for (size_t i = 0; i < length; i++) {
        struct dbk_error err = {0};

        bytes[i] ^= 0x40;
        assert_int_not_equal(message_decode(bytes, length, &out, &err), DBK_OK);
        assert_true(err.text[0] != '\0');
        bytes[i] ^= 0x40;
    }
    for (size_t cut = 0; cut < length; cut++) {
        char *copy = malloc(cut + 1); /* of its size, for ASan */

        memcpy(copy, bytes, cut);
        assert_int_not_equal(message_decode(copy, cut, &out, NULL), DBK_OK);
        free(copy);
    }
    free(bytes);
}

/* A program that knows none refuses them, by their version, and reads all others. */
static void only_what_has_keys_is_of_another_version(void **state)
{
    struct message message = batch_message(), out;
    size_t length, at = MESSAGE_HEADER + message.node.length;
    char *bytes = encoded(&message, &length);

    (void)state;
    assert_int_equal(bytes[4], 1);
    free(bytes);
    message.keys = dbk_slice("of the ring");
    bytes = encoded(&message, &length);
    assert_int_equal(bytes[4], 2);
    assert_memory_equal(bytes + at,
                        "\x0b\0\0\0of the ring"
                        "records and keys",
                        31);
    for (size_t i = 0; i < length; i++) {
        bytes[i] ^= 0x40;
        assert_int_not_equal(message_decode(bytes, length, &out, NULL), DBK_OK);
        bytes[i] ^= 0x40;
    }
    free(bytes);
}

static void a_newer_version_says_what_to_do(void **state)
{
    struct message message = batch_message(), out;
    struct dbk_error err = {0};
    size_t length;
    char *bytes = encoded(&message, &length);

    (void)state;
    bytes[4] = 3;
    assert_int_equal(message_decode(bytes, length, &out, &err), DBK_UNSUPPORTED);
    assert_non_null(strstr(err.text, "of version 3"));
    free(bytes);
    assert_int_equal(message_decode("{\"a\":1}", 7, &out, &err), DBK_UNSUPPORTED);
    assert_non_null(strstr(err.text, "another program"));
}

static void what_contradicts_itself_is_refused(void **state)
{
    struct message wrong[6], out;

    (void)state;
    for (size_t i = 0; i < 6; i++)
        wrong[i] = batch_message();
    wrong[0].first = 0;
    wrong[1].first = UINT64_MAX;
    wrong[2].epoch = -1;
    wrong[3].reseed = -2;
    wrong[4].type = MESSAGE_OPENING;
    wrong[5].type = MESSAGE_HAND_OVER;
    wrong[5].count = 0;
    wrong[5].keys = dbk_slice("of the ring");
    for (size_t i = 0; i < 6; i++) {
        size_t length;
        char *bytes = encoded(&wrong[i], &length);

        assert_int_equal(message_decode(bytes, length, &out, NULL), DBK_DAMAGED);
        free(bytes);
    }
}

static void what_kafka_would_not_take_is_too_large(void **state)
{
    static char url[DBK_REPLICA_URL_MAX + 1];
    struct message message = batch_message();
    size_t length;
    char *bytes;

    (void)state;
    message.body.length = MESSAGE_BODY_MAX + 1; /* not looked at */
    assert_int_equal(message_encode(&message, &bytes, &length, NULL), DBK_TOO_LARGE);
    message = batch_message();
    message.url = (struct dbk_slice){url, sizeof url};
    assert_int_equal(message_encode(&message, &bytes, &length, NULL), DBK_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(the_bytes_stay_where_they_are),
        cmocka_unit_test(any_changed_byte_is_noticed),
        cmocka_unit_test(only_what_has_keys_is_of_another_version),
        cmocka_unit_test(a_newer_version_says_what_to_do),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(what_kafka_would_not_take_is_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
