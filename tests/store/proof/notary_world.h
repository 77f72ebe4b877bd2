/* notary_world.h - a log, an audit directory, and a notary that is started and stopped. */
#ifndef NOTARY_WORLD_H
#define NOTARY_WORLD_H

#include "signed_log.h"
#include "store/clock.h"

#include <pthread.h>

struct world {
    struct scratch s;
    char audit[100], older[100]; /* a copy of the log's file */
    struct dbk_uuid person;
    struct dbk_notary *notary;
    struct dbk_signed_checkpoint shown;
    char told[8192];
};

static pthread_mutex_t told_mutex = PTHREAD_MUTEX_INITIALIZER; /* guards told */

static inline void note_line(void *context, const char *line)
{
    struct world *w = context;

    pthread_mutex_lock(&told_mutex);
    strncat(w->told, line, sizeof w->told - strlen(w->told) - 2);
    strcat(w->told, "\n");
    pthread_mutex_unlock(&told_mutex);
}

/* A line comes a little after what it tells. */
static inline void await_told(struct world *w, const char *line)
{
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);
    bool told = false;

    while (!told) {
        pthread_mutex_lock(&told_mutex);
        told = strstr(w->told, line) != NULL;
        pthread_mutex_unlock(&told_mutex);
        if (!told && dbk_deadline_left(until) == 0)
            fail_msg("not told: %s", line);
        dbk_sleep_ms(1);
    }
}

static inline int world_setup(void **state)
{
    struct world *w = calloc(1, sizeof *w);

    strcpy(w->s.dir, "/tmp/daybook-store-XXXXXX");
    if (!mkdtemp(w->s.dir))
        return -1;
    snprintf(w->audit, sizeof w->audit, "%s.audit", w->s.dir);
    snprintf(w->older, sizeof w->older, "%s.older", w->s.dir);
    scratch_open(&w->s);
    w->person = add_person(&w->s, "kate@x.mock");
    *state = w;
    return 0;
}

static inline int world_teardown(void **state)
{
    struct world *w = *state;

    dbk_notary_stop(w->notary);
    dbk_log_close(w->s.log);
    scratch_remove(w->s.dir);
    remove_folder(w->audit);
    unlink(w->older);
    free(w);
    return 0;
}

static inline void start(struct world *w, const char *origin)
{
    const struct dbk_notary_options options = {
        .origin = origin, .apart_ms = 10, .report = note_line, .report_context = w};

    assert_int_equal(
        dbk_notary_start(w->audit, w->s.log, &options, &w->notary, &w->s.err), DBK_OK);
}

static inline void stop_notary(struct world *w)
{
    dbk_notary_stop(w->notary);
    w->notary = NULL;
}

static inline const char *path(const struct world *w, const char *name)
{
    static char out[DBK_AUDIT_PATH];

    assert_true(dbk_audit_path(w->audit, name, out));
    return out;
}

/* Until its state is this. */
static inline struct dbk_notary_state await_code(struct world *w, enum dbk_code code)
{
    dbk_deadline until = dbk_deadline_in(PATIENCE_MS);
    struct dbk_notary_state state;

    for (;;) {
        dbk_notary_state(w->notary, &state);
        if (state.code == code)
            return state;
        if (dbk_deadline_left(until) == 0)
            fail_msg("%d: %s", state.code, state.why);
        dbk_sleep_ms(5);
    }
}

/* A checkpoint of all that is in the log, held against the log. */
static inline void await_signed(struct world *w)
{
    const struct dbk_tree_source source = dbk_tree_of_log(w->s.log);
    struct dbk_log_checkpoint read;
    struct dbk_hash root;
    struct dbk_tree *tree;
    struct dbk_vkey key;
    uint64_t head = head_of(&w->s);

    await_code(w, DBK_OK);
    if (dbk_notary_await(w->notary, head, PATIENCE_MS, &w->shown, &w->s.err) != DBK_OK)
        fail_msg("%s", w->s.err.text);
    assert_int_equal(dbk_notary_vkey(w->notary, &key, &w->s.err), DBK_OK);
    assert_int_equal(
        dbk_log_checkpoint_open((struct dbk_slice){w->shown.text, w->shown.length},
                                &key, &read, NULL, &w->s.err),
        DBK_OK);
    assert_true(read.size == head && w->shown.checkpoint.size == head);
    assert_int_equal(dbk_tree_create(&source, &tree, NULL), DBK_OK);
    assert_int_equal(dbk_tree_grow(tree, head, NULL, &w->s.err), DBK_OK);
    assert_int_equal(dbk_tree_root(tree, head, &root, NULL), DBK_OK);
    assert_true(dbk_hash_equal(&root, &read.root));
    dbk_tree_destroy(tree);
}

#endif
