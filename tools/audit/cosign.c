/* All witnesses: what they are asked about, and what is kept of their signatures.
 *
 * The target is a checkpoint that stays the same until it has settled, so that also slow
 * witnesses sign the same one; then the newest one takes its place. */
#include "cosign_private.h"
#include "lock.h"
#include "store/durable.h"
#include "store/proof/notary.h"
#include "store/timestamp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LOOK_MS = 500,
    GRACE_MS = 1000, /* for the slower ones, once there are enough */
    TARGET_MS = 30000,
    KEYS_MAX = 64,
};

/* Another process that asked the same witnesses would only be in the way. */
static enum dbk_code take_lock(struct cosign *cosign, struct dbk_error *err)
{
    char path[DBK_AUDIT_PATH];

    if (!dbk_audit_path(cosign->options.dir, "cosign.lock", path))
        return dbk_fail(err, DBK_INVALID,
                        "the path of the audit directory is too long");
    cosign->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (cosign->lock < 0 && errno == ENOENT)
        return dbk_fail(
            err, DBK_NOT_FOUND,
            "%s is not there: daybook serve signs the log, or daybook audit "
            "init begins it",
            cosign->options.dir);
    if (cosign->lock < 0)
        return dbk_system_fail(err, "open", path);
    if (lock_partial(cosign->lock, path, NULL) == DBK_OK)
        return DBK_OK;
    return dbk_fail(err, DBK_CONFLICT, "another daybook audit cosign runs (%s)", path);
}

/* What was known of a witness when this last ran. */
static void recall(const struct dbk_witnesses *before, struct cosign_ask *ask)
{
    for (size_t i = 0; i < before->count; i++) {
        if (strcmp(before->list[i].name, ask->witness->name) != 0)
            continue;
        *ask->state = before->list[i];
        if (ask->state->verdict == DBK_WITNESS_COSIGNED)
            ask->old = ask->state->size;
    }
}

static void add_witness(struct cosign *cosign, const struct dbk_policy_key *witness,
                        const struct dbk_witnesses *before)
{
    struct cosign_ask *ask = &cosign->asks[cosign->count];
    size_t length = strlen(witness->url);

    ask->witness = witness;
    ask->state = &cosign->told.list[cosign->told.count++];
    memcpy(ask->state->name, witness->name, sizeof ask->state->name);
    if (length == 0)
        return;
    while (length > 0 && witness->url[length - 1] == '/')
        length--;
    snprintf(ask->url, sizeof ask->url, "%.*s/add-checkpoint", (int)length,
             witness->url);
    recall(before, ask);
    cosign->count++;
}

enum dbk_code cosign_create(const struct cosign_options *options,
                            struct cosign **cosign, struct dbk_error *err)
{
    struct dbk_witnesses *before = calloc(1, sizeof *before);
    struct cosign *made = calloc(1, sizeof *made);
    enum dbk_code code = DBK_NO_MEMORY;

    *cosign = made;
    if (!before || !made)
        dbk_fail(err, code, "no memory to ask witnesses");
    else {
        made->options = *options;
        made->lock = -1;
        code = take_lock(made, err);
    }
    if (code == DBK_OK && dbk_witnesses_read(options->dir, before, NULL) != DBK_OK)
        before->count = 0; /* it is asked again what they know */
    for (size_t i = 0; code == DBK_OK && i < options->policy->witness_count; i++)
        add_witness(made, &options->policy->witnesses[i], before);
    if (code == DBK_OK && made->count == 0)
        code = dbk_fail(err, DBK_INVALID,
                        "no witness of the policy has a URL: witness NAME VKEY URL");
    if (code == DBK_OK)
        code = dbk_client_create(&made->client, err);
    free(before);
    if (code == DBK_OK)
        return DBK_OK;
    cosign_destroy(made);
    *cosign = NULL;
    return code;
}

void cosign_destroy(struct cosign *cosign)
{
    if (!cosign)
        return;
    dbk_client_destroy(cosign->client);
    dbk_tree_destroy(cosign->tree);
    if (cosign->lock >= 0)
        close(cosign->lock);
    free(cosign);
}

/* By whichever key: it may be that another signs since. */
enum dbk_code cosign_read_last(const char *dir, struct dbk_vkey *key,
                               struct dbk_signed_checkpoint *out, struct dbk_error *err)
{
    struct dbk_vkey *keys = calloc(KEYS_MAX, sizeof *keys);
    size_t count = 0;
    enum dbk_code code;

    if (!keys)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read keys");
    code = dbk_audit_keys(dir, keys, KEYS_MAX, &count, err);
    if (code == DBK_OK && count == 0)
        code = dbk_fail(err, DBK_NOT_FOUND, "nothing is signed yet");
    for (bool found = false; code == DBK_OK && !found && count > 0; count--) {
        *key = keys[count - 1];
        code = dbk_audit_last(dir, key, out, err);
        found = code == DBK_OK;
        if (code == DBK_CONFLICT && count > 1)
            code = DBK_OK;
    }
    free(keys);
    return code;
}

/* The tree of the log, as far as the checkpoint goes, where it is the one that was signed.
 * What the tree's file has is believed only as far as it leads there. */
static enum dbk_code grow(struct cosign *cosign, const struct dbk_log_checkpoint *last,
                          bool from_file, struct dbk_error *err)
{
    const struct dbk_tree_source source = dbk_tree_of_log(cosign->options.log);
    struct dbk_hash root;
    char path[DBK_AUDIT_PATH];
    enum dbk_code code = DBK_OK;

    if (!cosign->tree) {
        code = dbk_tree_create(&source, &cosign->tree, err);
        if (code == DBK_OK && from_file &&
            dbk_audit_path(cosign->options.dir, "tree", path))
            dbk_tree_load(cosign->tree, path, NULL);
    }
    if (code == DBK_OK && dbk_tree_size(cosign->tree) < last->size)
        code = dbk_tree_grow(cosign->tree, last->size, NULL, err);
    if (code == DBK_OK)
        code = dbk_tree_root(cosign->tree, last->size, &root, err);
    if (code == DBK_OK && dbk_hash_equal(&root, &last->root))
        return DBK_OK;
    dbk_tree_destroy(cosign->tree);
    cosign->tree = NULL;
    if (code == DBK_OK || code == DBK_NOT_FOUND)
        code = dbk_fail(err, DBK_MOVED,
                        "the log is not the one of whose %" PRIu64 " records a "
                        "checkpoint was signed: daybook audit verify tells more",
                        last->size);
    return code;
}

static enum dbk_code take_target(struct cosign *cosign,
                                 const struct dbk_signed_checkpoint *last,
                                 const struct dbk_vkey *key, struct dbk_error *err)
{
    enum dbk_code code = grow(cosign, &last->checkpoint, true, err);

    if (code == DBK_MOVED || code == DBK_DAMAGED) /* the log itself is asked */
        code = grow(cosign, &last->checkpoint, false, err);
    if (code != DBK_OK)
        return code;
    cosign->target = *last;
    cosign->key = *key;
    cosign->has_target = true;
    cosign->written = 0;
    cosign->target_until = dbk_deadline_in(TARGET_MS);
    cosign->grace = 0;
    return DBK_OK;
}

static uint64_t signers(const struct cosign *cosign)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < cosign->count; i++) {
        const struct cosign_ask *ask = &cosign->asks[i];

        if (cosign_ask_has_signed(cosign, ask))
            bits |= UINT64_C(1) << (ask->witness - cosign->options.policy->witnesses);
    }
    return bits;
}

bool cosign_met(const struct cosign *cosign)
{
    return cosign->has_target &&
           dbk_policy_met(cosign->options.policy, signers(cosign));
}

bool cosign_settled(const struct cosign *cosign)
{
    if (!cosign->has_target)
        return false;
    for (size_t i = 0; i < cosign->count; i++) {
        const struct cosign_ask *ask = &cosign->asks[i];

        if (ask->busy ||
            (cosign_ask_wants(cosign, ask) && dbk_deadline_left(ask->next) == 0))
            return false;
    }
    return true;
}

static bool may_change(const struct cosign *cosign)
{
    return !cosign->has_target || cosign_settled(cosign) ||
           dbk_deadline_left(cosign->target_until) == 0 ||
           (cosign->grace != 0 && dbk_deadline_left(cosign->grace) == 0);
}

static enum dbk_code look(struct cosign *cosign, struct dbk_error *err)
{
    struct dbk_signed_checkpoint *last;
    struct dbk_vkey key;
    enum dbk_code code;

    if (dbk_deadline_left(cosign->look) > 0 || !may_change(cosign))
        return DBK_OK;
    cosign->look = dbk_deadline_in(LOOK_MS);
    last = malloc(sizeof *last);
    if (!last)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read a checkpoint");
    code = cosign_read_last(cosign->options.dir, &key, last, err);
    if (code == DBK_OK &&
        (!cosign->has_target || strcmp(cosign->target.text, last->text) != 0))
        code = take_target(cosign, last, &key, err);
    if (code != DBK_OK)
        cosign->has_target = false;
    free(last);
    return code;
}

static enum dbk_code ask_all(struct cosign *cosign, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;

    for (size_t i = 0; code == DBK_OK && cosign->has_target && i < cosign->count; i++) {
        struct cosign_ask *ask = &cosign->asks[i];

        if (cosign_ask_wants(cosign, ask) && dbk_deadline_left(ask->next) == 0)
            code = cosign_ask_send(cosign, ask, err);
    }
    return code;
}

/* Where it has more signatures than before. */
static enum dbk_code keep(struct cosign *cosign, struct dbk_error *err)
{
    const unsigned count = (unsigned)__builtin_popcountll(signers(cosign));
    struct dbk_signed_checkpoint *made;
    enum dbk_code code = DBK_OK;

    if (!cosign_met(cosign) || count == cosign->written)
        return DBK_OK;
    made = malloc(sizeof *made);
    if (!made)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to keep a checkpoint");
    *made = cosign->target;
    for (size_t i = 0; code == DBK_OK && i < cosign->count; i++) {
        if (cosign_ask_has_signed(cosign, &cosign->asks[i]))
            code = dbk_log_checkpoint_add(made, cosign->asks[i].line, err);
    }
    if (code == DBK_OK)
        code = dbk_cosigned_write(cosign->options.dir, cosign->options.policy,
                                  &cosign->key, made, err);
    free(made);
    if (code != DBK_OK)
        return code;
    cosign->written = count;
    if (cosign->grace == 0)
        cosign->grace = dbk_deadline_in(GRACE_MS);
    return DBK_OK;
}

static enum dbk_code tell(struct cosign *cosign, struct dbk_error *err)
{
    enum dbk_code code;

    if (!cosign->changed)
        return DBK_OK;
    cosign->told.at = dbk_timestamp_now() / 1000000;
    code = dbk_witnesses_write(cosign->options.dir, &cosign->told, err);
    cosign->changed = code != DBK_OK;
    return code;
}

enum dbk_code cosign_step(struct cosign *cosign, int timeout_ms, struct dbk_error *err)
{
    struct dbk_client_answer answer;
    enum dbk_code code = look(cosign, err);

    if (code == DBK_OK)
        code = ask_all(cosign, err);
    if (dbk_client_next(cosign->client, timeout_ms, &answer))
        cosign_ask_take(cosign, answer.context, &answer);
    if (code == DBK_OK)
        code = keep(cosign, err);
    if (code == DBK_OK)
        code = tell(cosign, err);
    return code;
}

const struct dbk_witnesses *cosign_states(const struct cosign *cosign)
{
    return &cosign->told;
}

uint64_t cosign_size(const struct cosign *cosign)
{
    return cosign->has_target ? cosign->target.checkpoint.size : 0;
}
