#include "shared_tokens.h"

#include "store/clock.h"
#include "store/durable.h"
#include "store/thread.h"
#include "token_changes.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often the file is looked at; how long what was sent is waited for to come back. */
enum { LOOK_MS = 200, RETURN_MS = 5000 };

struct shared_tokens {
    const char *dir;
    char own[PATH_MAX]; /* where what was agreed on lies */
    void (*report)(void *context, const char *line);
    void *report_context;
    shared_tokens_send *send;
    void *send_context;
    pthread_t thread;
    bool runs;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t changed;
    bool stopping, failing;
    struct dbk_tokens agreed; /* there: they have been */
    struct token_changes sent;
    int64_t sent_ms;
    struct stat seen; /* the file, as it had nothing to be sent */
};

static void say(struct shared_tokens *shared, const char *what, const char *why)
{
    char line[1024];

    snprintf(line, sizeof line, "access tokens %s%s", what, why);
    if (shared->report)
        shared->report(shared->report_context, line);
}

static enum dbk_code make_own(struct shared_tokens *shared, struct dbk_error *err)
{
    if (mkdir(shared->own, 0700) == 0)
        return dbk_sync_parent(shared->own, err);
    return errno == EEXIST ? DBK_OK : dbk_system_fail(err, "make", shared->own);
}

enum dbk_code shared_tokens_create(const char *dir,
                                   void (*report)(void *context, const char *line),
                                   void *report_context, struct shared_tokens **out,
                                   struct dbk_error *err)
{
    struct shared_tokens *shared = calloc(1, sizeof *shared);

    *out = NULL;
    if (!shared)
        return dbk_fail(err, DBK_NO_MEMORY, "share the tokens: out of memory");
    shared->dir = dir;
    shared->report = report;
    shared->report_context = report_context;
    pthread_mutex_init(&shared->mutex, NULL);
    dbk_cond_init(&shared->changed);
    snprintf(shared->own, sizeof shared->own, "%s/cluster", dir);
    if (make_own(shared, err) != DBK_OK ||
        dbk_tokens_read(shared->own, &shared->agreed, err) != DBK_OK) {
        shared_tokens_destroy(shared);
        return err->code;
    }
    *out = shared;
    return DBK_OK;
}

void shared_tokens_destroy(struct shared_tokens *shared)
{
    if (!shared)
        return;
    dbk_tokens_finish(&shared->agreed);
    token_changes_finish(&shared->sent);
    pthread_cond_destroy(&shared->changed);
    pthread_mutex_destroy(&shared->mutex);
    free(shared);
}

static bool names(const struct dbk_tokens *tokens, const char *name)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (!strcmp(tokens->list[i].name, name))
            return true;
    }
    return false;
}

/* A file that was never agreed on with anybody may be old: of what the others know under a
 * name, theirs holds. What they do not know is this one's to tell. */
static void forget_known(struct token_changes *changes, const struct dbk_tokens *table)
{
    size_t kept = 0;

    for (size_t i = 0; i < changes->count; i++) {
        if (!changes->list[i].revoked && !names(table, changes->list[i].token.name))
            changes->list[kept++] = changes->list[i];
    }
    changes->count = kept;
}

/* What was changed here and is not told, or not known to have arrived. A file that is not
 * there was removed by somebody: nobody revoked all by that. */
static enum dbk_code find_own(const struct shared_tokens *shared,
                              const struct dbk_tokens *file, struct token_changes *out,
                              struct dbk_error *err)
{
    *out = (struct token_changes){0};
    if (!file->there)
        return DBK_OK;
    return token_changes_find(&shared->agreed, file, out, err);
}

static void copy_into(struct dbk_tokens *out, const struct dbk_tokens *from)
{
    memcpy(out->list, from->list, from->count * sizeof *from->list);
    out->count = from->count;
}

/* A table that came, on its way into the file. */
struct coming {
    struct shared_tokens *shared;
    struct dbk_tokens table; /* then, with what was changed here */
    struct dbk_error err;
};

static bool put_table(void *context, struct dbk_tokens *file)
{
    struct coming *coming = context;
    const struct shared_tokens *shared = coming->shared;
    struct token_changes own;

    if (find_own(shared, file, &own, &coming->err) != DBK_OK)
        return false;
    if (!shared->agreed.there)
        forget_known(&own, &coming->table);
    token_changes_apply(&own, &coming->table);
    token_changes_finish(&own);
    if (file->there && token_tables_equal(file, &coming->table))
        return false;
    copy_into(file, &coming->table);
    return true;
}

/* No room for a new file: but nobody whom it refuses may be let in. */
static void revoke_at_least(struct coming *coming)
{
    struct dbk_tokens file;
    size_t left;

    if (dbk_tokens_read(coming->shared->dir, &file, NULL) != DBK_OK)
        return;
    for (size_t i = 0; i < file.count; i++) {
        if (!names(&coming->table, file.list[i].name))
            dbk_tokens_revoke(coming->shared->dir, file.list[i].name, false, &left,
                              NULL);
    }
    dbk_tokens_finish(&file);
}

static bool put_agreed(void *context, struct dbk_tokens *file)
{
    const struct dbk_tokens *table = context;

    if (file->there && token_tables_equal(file, table))
        return false;
    copy_into(file, table);
    return true;
}

/* The file first: were what is agreed on ahead of it, what the file lacks would be taken
 * for revoked here. Killed between the two, what came is taken for changed here, until it is
 * held against the table, when it comes again at the start. */
static enum dbk_code take_table(struct shared_tokens *shared, struct dbk_tokens *table,
                                struct dbk_error *err)
{
    struct coming coming = {.shared = shared, .table = *table};
    struct dbk_tokens before = shared->agreed;
    enum dbk_code code;

    coming.table.list = calloc(DBK_TOKENS_MAX, sizeof *table->list);
    if (!coming.table.list)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    copy_into(&coming.table, table);
    code = dbk_tokens_edit(shared->dir, put_table, &coming, err);
    if (code == DBK_OK && coming.err.code != DBK_OK)
        code = dbk_fail(err, coming.err.code, "%s", coming.err.text);
    if (code == DBK_NO_ROOM)
        revoke_at_least(&coming);
    free(coming.table.list);
    if (code != DBK_OK)
        return code;
    shared->agreed = *table;
    *table = (struct dbk_tokens){0};
    dbk_tokens_finish(&before);
    return dbk_tokens_edit(shared->own, put_agreed, &shared->agreed, err);
}

void shared_tokens_came(void *context, struct dbk_slice text)
{
    struct shared_tokens *shared = context;
    struct dbk_error err = {0};
    struct dbk_tokens table;

    pthread_mutex_lock(&shared->mutex);
    if (token_changes_table(text, &table, &err) == DBK_OK)
        take_table(shared, &table, &err);
    dbk_tokens_finish(&table);
    memset(&shared->seen, 0, sizeof shared->seen);
    pthread_mutex_unlock(&shared->mutex);
    if (err.code != DBK_OK)
        say(shared, "that the cluster has are not taken here: ", err.text);
}

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_ino == other->st_ino && one->st_size == other->st_size &&
           one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
           one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

/* Whether it has changed since it had nothing to be told. */
static bool has_changed(struct shared_tokens *shared, struct stat *now)
{
    char path[PATH_MAX + 16];
    bool same;

    snprintf(path, sizeof path, "%s/tokens", shared->dir);
    if (stat(path, now) != 0)
        return false;
    pthread_mutex_lock(&shared->mutex);
    same = is_same(now, &shared->seen);
    pthread_mutex_unlock(&shared->mutex);
    return !same;
}

/* With the mutex: what is to be told now. What was told a moment ago is still on its way
 * back, and told again it could undo what others did meanwhile. */
static enum dbk_code find_untold(struct shared_tokens *shared, const struct stat *now,
                                 struct token_changes *out, struct dbk_error *err)
{
    struct dbk_tokens file;
    bool nothing;

    *out = (struct token_changes){0};
    if (dbk_tokens_read(shared->dir, &file, err) != DBK_OK)
        return err->code;
    if (find_own(shared, &file, out, err) == DBK_OK) {
        nothing = out->count == 0;
        if (dbk_clock_ms() < shared->sent_ms + RETURN_MS)
            token_changes_without(out, &shared->sent);
        if (nothing)
            shared->seen = *now;
    }
    dbk_tokens_finish(&file);
    return err->code;
}

/* Beside those that are on their way still. Without memory they are told twice. */
static void note_sent(struct shared_tokens *shared, const struct token_changes *changes)
{
    struct token_changes *sent = &shared->sent;
    struct token_change *list;

    pthread_mutex_lock(&shared->mutex);
    if (dbk_clock_ms() >= shared->sent_ms + RETURN_MS)
        sent->count = 0;
    list = reallocarray(sent->list, sent->count + changes->count, sizeof *list);
    if (list) {
        sent->list = list;
        memcpy(list + sent->count, changes->list, changes->count * sizeof *list);
        sent->count += changes->count;
        shared->sent_ms = dbk_clock_ms();
    }
    pthread_mutex_unlock(&shared->mutex);
}

static enum dbk_code tell(struct shared_tokens *shared,
                          const struct token_changes *changes, struct dbk_error *err)
{
    enum dbk_code code;
    size_t length;
    char *text;

    if (token_changes_write(changes, &text, &length, err) != DBK_OK)
        return err->code;
    code = shared->send(shared->send_context, (struct dbk_slice){text, length}, err);
    free(text);
    if (code == DBK_OK)
        note_sent(shared, changes);
    return code;
}

void shared_tokens_look(struct shared_tokens *shared)
{
    struct dbk_error err = {0};
    struct token_changes changes;
    struct stat now;

    if (!has_changed(shared, &now))
        return;
    pthread_mutex_lock(&shared->mutex);
    find_untold(shared, &now, &changes, &err);
    pthread_mutex_unlock(&shared->mutex);
    if (err.code == DBK_OK && changes.count > 0)
        tell(shared, &changes, &err);
    token_changes_finish(&changes);
    if (err.code == DBK_BUSY)
        return;
    if (err.code != DBK_OK && !shared->failing)
        say(shared,
            "that were changed here are not told the other machines, and that is tried "
            "again: ",
            err.text);
    else if (err.code == DBK_OK && shared->failing)
        say(shared, "that were changed here are told the other machines again", "");
    shared->failing = err.code != DBK_OK;
}

static void *run(void *argument)
{
    struct shared_tokens *shared = argument;

    pthread_mutex_lock(&shared->mutex);
    while (!shared->stopping) {
        dbk_cond_wait(&shared->changed, &shared->mutex, dbk_deadline_in(LOOK_MS));
        if (shared->stopping)
            break;
        pthread_mutex_unlock(&shared->mutex);
        shared_tokens_look(shared);
        pthread_mutex_lock(&shared->mutex);
    }
    pthread_mutex_unlock(&shared->mutex);
    return NULL;
}

void shared_tokens_use(struct shared_tokens *shared, shared_tokens_send *send,
                       void *context)
{
    shared->send = send;
    shared->send_context = context;
}

enum dbk_code shared_tokens_start(struct shared_tokens *shared,
                                  shared_tokens_send *send, void *context,
                                  struct dbk_error *err)
{
    shared_tokens_use(shared, send, context);
    shared->runs =
        dbk_thread_start(&shared->thread, "dbk-shared", run, shared, err) == DBK_OK;
    return shared->runs ? DBK_OK : err->code;
}

void shared_tokens_stop(struct shared_tokens *shared)
{
    if (!shared || !shared->runs)
        return;
    pthread_mutex_lock(&shared->mutex);
    shared->stopping = true;
    pthread_cond_signal(&shared->changed);
    pthread_mutex_unlock(&shared->mutex);
    pthread_join(shared->thread, NULL);
    shared->runs = false;
}

enum dbk_code shared_tokens_forget(const char *dir, struct dbk_error *err)
{
    char path[PATH_MAX];

    if (snprintf(path, sizeof path, "%s/cluster/tokens", dir) >= (int)sizeof path)
        return dbk_fail(err, DBK_IO, "the data directory's path is too long");
    if (unlink(path) == 0)
        return dbk_sync_parent(path, err);
    return errno == ENOENT ? DBK_OK : dbk_system_fail(err, "remove", path);
}
