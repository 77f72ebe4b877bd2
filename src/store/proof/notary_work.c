/* The notary's thread: it follows the log, lets the tree grow, and signs.
 *
 * It looks a few times a second what came, or when somebody waits: so a commit costs nothing
 * for it. The last checkpoint signed is the one thing that must never be contradicted: what
 * is signed next is first held against it. */
#include "audit_dir.h"
#include "notary_private.h"
#include "notary_watch.h"
#include "store/durable.h"
#include "store/timestamp.h"
#include "turn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { RETRY_MS = 1000, NICE = 10, SAVE_RECORDS = 16384 };

#define BEHIND_MAX (4u << 20) /* records that it leaves for later */

/* What it knows. */
struct work {
    struct dbk_notary *notary;
    struct dbk_audit_signers signers;
    struct notary_mark signers_mark;
    bool has_key;
    bool resigns;      /* others sign since */
    bool has_tree;     /* its file was looked at */
    bool from_file;    /* some of the tree is from its file, and not from the log */
    bool extends;      /* the tree is known to extend last */
    uint64_t seen;     /* the head when it last looked; 0: it has not */
    uint64_t hashed;   /* the last record in the tree */
    uint32_t checksum; /* of it */
    uint64_t saved;    /* records that the tree's file was about last */
    struct dbk_signed_checkpoint last;
    struct notary_cosigned cosigned;
    dbk_deadline apart;    /* not to sign before */
    dbk_deadline interval; /* to sign by, where there is something */
    char told[sizeof((struct dbk_error *)0)->text];
};

static void report(const struct work *work, const char *line)
{
    const struct dbk_notary_options *options = &work->notary->options;

    if (options->report)
        options->report(options->report_context, line);
}

/* What it does not sign for is told once, and once that it signs again. */
static void tell(struct work *work, enum dbk_code code, const struct dbk_error *why)
{
    struct dbk_notary *notary = work->notary;
    const char *text = code == DBK_OK ? "" : why->text;
    char line[sizeof why->text + 64];

    pthread_mutex_lock(&notary->mutex);
    notary->state.signs = code == DBK_OK;
    notary->state.code = code;
    snprintf(notary->state.why, sizeof notary->state.why, "%s", text);
    if (code == DBK_MOVED)
        notary->has_shown = false;
    if (code != DBK_OK)
        pthread_cond_broadcast(&notary->shown);
    pthread_mutex_unlock(&notary->mutex);
    if (!strcmp(work->told, text))
        return;
    snprintf(work->told, sizeof work->told, "%s", text);
    if (code == DBK_OK)
        snprintf(line, sizeof line, "the log is signed again");
    else
        snprintf(line, sizeof line, "the log is not signed, but goes on: %s", text);
    report(work, line);
}

static bool stops(void *context)
{
    return atomic_load(&((struct dbk_notary *)context)->stopping);
}

/* By whichever of the keys that sign: the newest may not have yet. */
static enum dbk_code read_last(struct work *work, struct dbk_error *err)
{
    const struct dbk_audit_signers *signers = &work->signers;
    enum dbk_code code =
        dbk_audit_last(work->notary->dir, &signers->keys[0].vkey, &work->last, err);

    work->resigns = false;
    if (code != DBK_CONFLICT || signers->count < 2)
        return code;
    work->resigns = true;
    return dbk_audit_last(work->notary->dir, &signers->keys[1].vkey, &work->last, err);
}

static enum dbk_code open_key(struct work *work, struct dbk_error *err)
{
    struct dbk_notary *notary = work->notary;
    const struct dbk_vkey *key = &work->signers.keys[0].vkey;
    bool made;
    enum dbk_code code =
        dbk_audit_init(notary->dir, notary->origin, false, NULL, &made, err);
    char line[DBK_VKEY_TEXT + 64], vkey[DBK_VKEY_TEXT + 1];

    if (code == DBK_OK) {
        notary_mark_moved(&work->signers_mark, notary->dir, "key");
        code = dbk_audit_signers(notary->dir, &work->signers, err);
    }
    if (code != DBK_OK)
        return code;
    code = read_last(work, err);
    if (code == DBK_NOT_FOUND || code == DBK_DAMAGED)
        return dbk_wrap(err,
                        "what was signed last is not known, and nothing may "
                        "contradict it; put a copy back, or where this log is sure "
                        "to be whole: daybook audit trust-log");
    if (code == DBK_CONFLICT)
        return dbk_wrap(err, AUDIT_DIR_APART);
    if (code != DBK_OK)
        return code;
    work->has_key = true;
    pthread_mutex_lock(&notary->mutex);
    notary->vkey = *key;
    strcpy(notary->state.origin, key->name);
    notary->state.signed_size = work->last.checkpoint.size;
    pthread_mutex_unlock(&notary->mutex);
    if (made) {
        dbk_vkey_format(key, vkey);
        snprintf(line, sizeof line, "the log is signed from now on by %s", vkey);
        report(work, line);
    }
    return DBK_OK;
}

/* Keys that take over while it runs: of the same name, and with one of those before. Another
 * name is for the next start. */
static void take_over(struct work *work)
{
    struct dbk_audit_signers now, *before = &work->signers;
    const bool moved =
        notary_mark_moved(&work->signers_mark, work->notary->dir, "key") &&
        dbk_audit_signers(work->notary->dir, &now, NULL) == DBK_OK;
    bool related = false;

    if (!moved)
        return;
    for (size_t i = 0; i < now.count * before->count; i++)
        related = related || dbk_vkey_equal(&now.keys[i % now.count].vkey,
                                            &before->keys[i / now.count].vkey);
    if (related) {
        work->resigns = !dbk_vkey_equal(&now.keys[0].vkey, &before->keys[0].vkey);
        *before = now;
        pthread_mutex_lock(&work->notary->mutex);
        work->notary->vkey = now.keys[0].vkey;
        pthread_mutex_unlock(&work->notary->mutex);
    }
    dbk_audit_signers_wipe(&now);
}

/* It is made again from the log. */
static void forget_tree(struct work *work)
{
    dbk_tree_clear(work->notary->tree);
    work->from_file = false;
    work->extends = false;
    work->hashed = 0;
    work->saved = 0;
}

/* What the file has may be of another log, or of another history: then the last that it is
 * about is another. */
static void open_tree(struct work *work, uint64_t head)
{
    struct dbk_tree *tree = work->notary->tree;
    struct dbk_hash tile[DBK_TILE_WIDTH];
    char path[DBK_AUDIT_PATH];
    uint64_t size;

    work->has_tree = true;
    if (!dbk_audit_path(work->notary->dir, "tree", path) ||
        dbk_tree_load(tree, path, NULL) != DBK_OK)
        return;
    size = dbk_tree_size(tree);
    work->from_file = size > 0;
    if (size > head ||
        (size > 0 && dbk_tree_tile(tree, 0, size / DBK_TILE_WIDTH - 1, DBK_TILE_WIDTH,
                                   tile, NULL) != DBK_OK))
        forget_tree(work);
}

/* Whether the log has what was hashed, as far as that can be told by its end. */
static void check_history(struct work *work, uint64_t head)
{
    if (head < dbk_tree_size(work->notary->tree) ||
        (work->hashed > 0 && dbk_log_check_history(work->notary->log, work->hashed,
                                                   work->checksum, NULL) == DBK_MOVED))
        forget_tree(work);
}

/* How far to hash now. While others write a burst, most of it is left until they have: it
 * takes a processor from them, and nobody waits. What was signed is known to be reached. */
static uint64_t so_far(struct work *work, uint64_t head)
{
    struct dbk_notary *notary = work->notary;
    uint64_t size = dbk_tree_size(notary->tree), to = size + notary->options.at_once;
    bool writes = work->seen != 0 && head != work->seen, waits;

    work->seen = head;
    pthread_mutex_lock(&notary->mutex);
    waits = notary->wanted > size;
    pthread_mutex_unlock(&notary->mutex);
    if (to < work->last.checkpoint.size)
        to = work->last.checkpoint.size;
    return writes && !waits && to < head && head - size < BEHIND_MAX ? to : head;
}

static enum dbk_code grow(struct work *work, uint64_t head, struct dbk_error *err)
{
    struct dbk_notary *notary = work->notary;
    const struct dbk_watch watch = {.stop = stops, .context = notary};
    enum dbk_code code = dbk_tree_grow(notary->tree, head, &watch, err);

    work->hashed = dbk_tree_size(notary->tree);
    if (work->hashed > 0 &&
        dbk_log_checksum(notary->log, work->hashed, &work->checksum, NULL) != DBK_OK)
        work->hashed = 0; /* looked at the next time */
    return code;
}

static enum dbk_code moved(const struct work *work, uint64_t size,
                           struct dbk_error *err)
{
    const struct dbk_log_checkpoint *last = &work->last.checkpoint;

    if (size < last->size)
        return dbk_fail(
            err, DBK_MOVED,
            "it has %" PRIu64 " records, and %" PRIu64
            " were signed: it was put back to an earlier state. Nothing is "
            "signed under this name unless they are back; another is begun by "
            "daybook audit init --origin NAME",
            size, last->size);
    return dbk_fail(
        err, DBK_MOVED,
        "its first %" PRIu64 " records are not those that were signed: "
        "daybook audit verify tells more. Nothing is signed under this name "
        "unless they are back; another is begun by daybook audit init "
        "--origin NAME",
        last->size);
}

/* Whether it extends what was signed last. */
static enum dbk_code check_extends(struct work *work, bool *again,
                                   struct dbk_error *err)
{
    const struct dbk_log_checkpoint *last = &work->last.checkpoint;
    struct dbk_tree *tree = work->notary->tree;
    uint64_t size = dbk_tree_size(tree);
    struct dbk_hash root;
    enum dbk_code code;

    *again = false;
    if (work->extends)
        return DBK_OK;
    if (size < last->size)
        return moved(work, size, err);
    code = dbk_tree_root(tree, last->size, &root, err);
    work->extends = code == DBK_OK && dbk_hash_equal(&root, &last->root);
    if (work->extends || (code != DBK_OK && code != DBK_DAMAGED))
        return code;
    *again =
        work->from_file; /* the log itself is asked before anything is said of it */
    return moved(work, size, err);
}

static enum dbk_code follow(struct work *work, struct dbk_error *err)
{
    bool again = true;
    uint64_t head, to;
    enum dbk_code code = turn_settled_head(work->notary->log, &head, err);

    if (code != DBK_OK)
        return code;
    pthread_mutex_lock(&work->notary->mutex);
    work->notary->state.head = head;
    pthread_mutex_unlock(&work->notary->mutex);
    if (!work->has_tree)
        open_tree(work, head);
    check_history(work, head);
    to = so_far(work, head);
    while (again) {
        code = grow(work, to, err);
        if (code != DBK_OK)
            return code;
        code = check_extends(work, &again, err);
        if (again)
            forget_tree(work);
    }
    return code;
}

static void show(struct work *work, bool signed_now)
{
    struct dbk_notary *notary = work->notary;

    pthread_mutex_lock(&notary->mutex);
    notary->last = work->last;
    notary->has_shown = true;
    notary->state.signed_size = work->last.checkpoint.size;
    if (signed_now) {
        notary->state.signed_at = dbk_timestamp_now();
        notary->state.signatures++;
        notary->wanted = 0; /* who waits for more says so again */
    }
    pthread_cond_broadcast(&notary->shown);
    pthread_mutex_unlock(&notary->mutex);
}

/* By each key that signs. */
static enum dbk_code sign_text(const struct work *work,
                               const struct dbk_log_checkpoint *next,
                               struct dbk_signed_checkpoint *made,
                               struct dbk_error *err)
{
    const struct dbk_audit_signers *signers = &work->signers;
    char text[DBK_CHECKPOINT_TEXT + 1], line[DBK_NOTE_LINE + 1];
    const size_t length = dbk_log_checkpoint_format(next, text);
    enum dbk_code code = DBK_OK;

    dbk_log_checkpoint_sign(next, &signers->keys[0], made);
    for (size_t i = 1; code == DBK_OK && i < signers->count; i++) {
        dbk_note_sign((struct dbk_slice){text, length}, &signers->keys[i], 0, line);
        code = dbk_log_checkpoint_add(made, line, err);
    }
    return code;
}

static enum dbk_code sign(struct work *work, struct dbk_error *err)
{
    struct dbk_notary *notary = work->notary;
    struct dbk_log_checkpoint next = {.size = dbk_tree_size(notary->tree)};
    struct dbk_signed_checkpoint *made = malloc(sizeof *made);
    enum dbk_code code;

    if (!made)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to sign");
    memcpy(next.origin, work->signers.keys[0].vkey.name, sizeof next.origin);
    code = dbk_tree_root(notary->tree, next.size, &next.root, err);
    if (code == DBK_OK)
        code = sign_text(work, &next, made, err);
    if (code == DBK_OK)
        code = audit_dir_put_last(notary->dir, made, err);
    if (code == DBK_OK) { /* from now on it counts, shown or not */
        work->last = *made;
        work->resigns = false;
        show(work, true);
        work->apart = dbk_deadline_in(notary->options.apart_ms);
        work->interval = dbk_deadline_in(notary->options.interval_ms);
    } /* else it stays due: that it does not sign is so until it has */
    free(made);
    return code;
}

/* Whether it is to sign now. */
static bool is_due(struct work *work)
{
    struct dbk_notary *notary = work->notary;
    uint64_t size = dbk_tree_size(notary->tree), wanted;

    if (work->resigns)
        return dbk_deadline_left(work->apart) == 0;
    if (size <= work->last.checkpoint.size)
        return false;
    pthread_mutex_lock(&notary->mutex);
    wanted = notary->wanted;
    pthread_mutex_unlock(&notary->mutex);
    return stops(notary) || dbk_deadline_left(work->interval) == 0 ||
           (wanted > work->last.checkpoint.size && dbk_deadline_left(work->apart) == 0);
}

/* That it cannot be written costs hashing again, at the next start. */
static void save_tree(struct work *work, bool at_last)
{
    uint64_t size = dbk_tree_size(work->notary->tree);
    char path[DBK_AUDIT_PATH];

    if (size / DBK_TILE_WIDTH == work->saved / DBK_TILE_WIDTH ||
        (!at_last && size > work->saved && size - work->saved < SAVE_RECORDS) ||
        !dbk_audit_path(work->notary->dir, "tree", path))
        return;
    work->saved = size;
    dbk_tree_save(work->notary->tree, path, NULL);
}

static enum dbk_code go_on(struct work *work, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    if (!work->has_key)
        code = open_key(work, err);
    else
        take_over(work);
    if (code == DBK_OK)
        code = follow(work, err);
    if (code == DBK_OK && !work->notary->has_shown) /* it alone changes that */
        show(work, false);
    if (code == DBK_OK && is_due(work))
        code = sign(work, err);
    return code;
}

/* Until somebody wants something, or it ends; at most ms. */
static void rest(struct work *work, int ms)
{
    struct dbk_notary *notary = work->notary;
    dbk_deadline until = dbk_deadline_in(ms);

    if (ms > dbk_deadline_left(work->apart) && dbk_deadline_left(work->apart) > 0)
        until = work->apart; /* there may be who waits since it signed last */
    pthread_mutex_lock(&notary->mutex);
    if (!atomic_load(&notary->stopping) && !notary->called)
        dbk_cond_wait(&notary->woken, &notary->mutex, until);
    notary->called = false;
    pthread_mutex_unlock(&notary->mutex);
}

/* It gives way to who answers requests. */
static void be_nice(void)
{
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), NICE);
}

void *notary_work(void *argument)
{
    struct work work = {.notary = argument};
    struct dbk_error err;
    enum dbk_code code;
    bool last;

    be_nice();
    do {
        last = stops(argument);
        err = (struct dbk_error){0};
        code = go_on(&work, &err);
        if (code != DBK_INTERRUPTED)
            tell(&work, code, &err);
        if (work.has_key)
            notary_cosigned_look(&work.cosigned, work.notary);
        save_tree(&work, last);
        if (!last)
            rest(&work, code == DBK_OK ? NOTARY_LOOK_MS : RETRY_MS);
    } while (!last);
    dbk_audit_signers_wipe(&work.signers);
    return NULL;
}
