/* lmdb_sweep.h - every error path of LMDB: whatever the store does is done again and again,
 * and LMDB fails at its first call, its second, and so on, until it is done without meeting
 * the fault. Programs are linked as lmdb_faults.h says, and with --wrap=sandbox_run. */
#ifndef DBK_TESTS_STORE_LMDB_LMDB_SWEEP_H
#define DBK_TESTS_STORE_LMDB_LMDB_SWEEP_H

#include "lmdb_faults.h"
#include "sandbox.h"
#include "scratch_log.h"

#include <errno.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, scratch_teardown)
#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define CALLS_MAX 20000 /* nothing here makes as many */

static const struct {
    int error;
    enum dbk_code code;
} errors[] = {
    {EIO, DBK_IO},           {MDB_MAP_FULL, DBK_NO_ROOM},
    {ENOMEM, DBK_NO_MEMORY}, {MDB_CORRUPTED, DBK_DAMAGED},
    {ENOSPC, DBK_NO_ROOM},   {MDB_READERS_FULL, DBK_BUSY},
};

enum dbk_code __wrap_sandbox_run(sandbox_body *run, const void *what,
                                 const struct dbk_verify_options *options,
                                 struct dbk_verify_result *result, uint64_t *died_at,
                                 struct dbk_error *err);

/* Not in a process of its own: here the faults would not be counted, nor leaks seen. */
enum dbk_code __wrap_sandbox_run(sandbox_body *run, const void *what,
                                 const struct dbk_verify_options *options,
                                 struct dbk_verify_result *result, uint64_t *died_at,
                                 struct dbk_error *err)
{
    memset(result, 0, sizeof *result);
    *died_at = 0;
    return run(what, options, result, err);
}

/* One sweep. */
struct sweep {
    struct scratch *s;
    char other[80]; /* a directory beside the log's, which is not there */
    int failures;
};

/* Something that the store does. What it returns is what the caller is told. */
typedef enum dbk_code doing(struct sweep *sweep);

/* What was told must say what is wrong. */
static inline void check_told(struct sweep *sweep, enum dbk_code code,
                              enum dbk_code wanted)
{
    if (code == DBK_OK) {
        assert_false(atomic_load(&faults.serious));
        return;
    }
    sweep->failures++;
    if (code != wanted && code != DBK_IN_DOUBT && code != DBK_UNAVAILABLE)
        fail_msg("told %d, not %d: %s", code, wanted, sweep->s->err.text);
    assert_int_equal(sweep->s->err.code, code);
    assert_true(strlen(sweep->s->err.text) > 10);
}

/* Do it with a fault at every call. `before` makes ready, `after` looks at what is left,
 * given what was told; either may be NULL. */
static inline void sweep_over(struct sweep *sweep, void (*before)(struct sweep *sweep),
                              doing *act,
                              void (*after)(struct sweep *sweep, enum dbk_code told))
{
    for (int lasting = 0; lasting < 2; lasting++) {
        int calls = 0;
        bool met = true;

        for (; met && calls < CALLS_MAX; calls++) {
            size_t which = (size_t)(calls + 3 * lasting) % LENGTH(errors);
            enum dbk_code code;

            if (before)
                before(sweep);
            memset(&sweep->s->err, 0, sizeof sweep->s->err);
            faults_arm(calls, errors[which].error, lasting);
            code = act(sweep);
            met = faults_met();
            faults_none();
            if (met)
                check_told(sweep, code, errors[which].code);
            else if (code != DBK_OK)
                fail_msg("without a fault: %s", sweep->s->err.text);
            if (after)
                after(sweep, code);
        }
        assert_false(met);
    }
    assert_true(sweep->failures > 2);
}

/* In memory where that can be had: there are thousands of commits, and nothing here hangs
 * on the disk. */
static inline int setup(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);

    strcpy(s->dir, "/dev/shm/daybook-store-XXXXXX");
    if (!mkdtemp(s->dir)) {
        free(s);
        return scratch_setup(state);
    }
    scratch_open(s);
    *state = s;
    return 0;
}

static inline struct sweep begin_sweep(struct scratch *s)
{
    struct sweep sweep = {.s = s};

    snprintf(sweep.other, sizeof sweep.other, "%.60s.other", s->dir);
    return sweep;
}

/* Some of everything. */
static inline void fill(struct scratch *s)
{
    static const struct dbk_idempotency key = {.key = {1}, .keep_us = 3600000000};

    for (int i = 0; i < 3; i++) {
        char email[] = "p0@x.mock";
        struct dbk_record event, gone;
        struct dbk_command *command;
        struct dbk_uuid person;
        bool replayed;

        email[1] = (char)('0' + i);
        person = add_person(s, email);
        event = draft_event(&person);
        command = command_of(&event);
        assert_int_equal(dbk_log_submit(s->log, &command, 1, i == 0 ? &key : NULL,
                                        &replayed, &s->err),
                         DBK_OK);
        dbk_command_destroy(command);
        gone = draft_of(i == 0 ? DBK_EVENT_DELETED : DBK_PERSON_DELETED,
                        i == 0 ? &event.subject : &person);
        if (i < 2)
            assert_int_equal(submit(s, &gone).code, DBK_OK);
    }
}

static inline uint64_t findings_of(struct scratch *s, enum dbk_code *code)
{
    struct dbk_verify_options options = {0};
    struct dbk_verify_result result = {0};
    char scratch_dir[80];

    snprintf(scratch_dir, sizeof scratch_dir, "%.60s.verify", s->dir);
    options.scratch_dir = scratch_dir;
    *code = dbk_log_verify(s->dir, &options, &result, &s->err);
    assert_int_not_equal(access(scratch_dir, F_OK), 0);
    return result.findings;
}

/* With the log closed. */
static inline void assert_sound(struct scratch *s)
{
    enum dbk_code code;
    uint64_t findings = findings_of(s, &code);

    assert_int_equal(code, DBK_OK);
    assert_int_equal(findings, 0);
}

#endif
