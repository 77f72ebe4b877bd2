/* What was signed, and what that proves: daybook audit checkpoint, prove, consistency. */
#include "audit_file.h"
#include "audit_parts.h"
#include "audit_proof.h"
#include "audit_tree.h"
#include "escape.h"
#include "lock.h"
#include "log_place.h"
#include "signals.h"
#include "store/durable.h"
#include "store/proof/notary.h"
#include "tool_data.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_MS = 100 };

/* No server does it: let a notary follow the log up to its head. */
static enum dbk_code sign_head(struct dbk_notary *notary, uint64_t head,
                               struct dbk_signed_checkpoint *last,
                               struct dbk_error *err)
{
    enum dbk_code code = DBK_UNAVAILABLE;
    struct dbk_notary_state state = {.code = DBK_UNAVAILABLE};

    while (code != DBK_OK &&
           state.code == DBK_UNAVAILABLE) { /* it goes through the log */
        if (signals_came())
            return dbk_fail(err, DBK_INTERRUPTED, "interrupted");
        code = dbk_notary_await(notary, head, LOOK_MS, last, err);
        dbk_notary_state(notary, &state);
        if (code == DBK_TIMEOUT)
            state.code = DBK_UNAVAILABLE;
        else if (code != DBK_OK)
            usleep(LOOK_MS * 1000);
    }
    return code;
}

static enum dbk_code sign(const struct tool *tool, struct dbk_signed_checkpoint *last,
                          struct dbk_error *err)
{
    const struct dbk_notary_options options = {
        .origin = config_text(tool->config, SETTING_AUDIT_ORIGIN)};
    struct dbk_notary *notary = NULL;
    struct dbk_log *log = NULL;
    char dir[4096];
    uint64_t head;
    enum dbk_code code;

    if (!tool_audit_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    code = log_place_open(tool, false, NULL, &log, err);
    if (code == DBK_OK)
        code = dbk_log_head(log, &head, err);
    if (code == DBK_OK)
        code = dbk_notary_start(dir, log, &options, &notary, err);
    if (code == DBK_OK)
        code = sign_head(notary, head, last, err);
    dbk_notary_stop(notary);
    dbk_log_close(log);
    return code;
}

static void print_checkpoint_json(const struct dbk_signed_checkpoint *last)
{
    const struct dbk_log_checkpoint *is = &last->checkpoint;
    char root[DBK_HASH_TEXT + 1];

    dbk_hash_format(&is->root, root);
    fputs("{\"origin\":", stdout);
    escape_string(stdout, is->origin);
    printf(",\"records\":%" PRIu64 ",\"root\":\"%s\",\"checkpoint\":", is->size, root);
    escape_string(stdout, last->text);
    puts("}");
}

enum tool_exit audit_checkpoint(const struct tool *tool)
{
    struct dbk_signed_checkpoint *last = malloc(sizeof *last);
    struct dbk_error err = {.code = DBK_NO_MEMORY, .text = "no memory to sign"};
    enum tool_exit exit = TOOL_DONE;
    enum dbk_code code;
    int lock = -1;

    if (!last)
        return tool_fail(tool, &err);
    code = log_place_check(tool->config, &err);
    if (code == DBK_OK)
        code = lock_take(config_text(tool->config, SETTING_DATA_DIR), &lock, &err);
    if (code == DBK_CONFLICT)
        code = audit_last_read(tool, last, &err); /* the server's */
    else if (code == DBK_OK)
        code = sign(tool, last, &err);
    lock_release(lock);
    if (code != DBK_OK)
        exit = tool_fail(tool, &err);
    else if (tool_has(tool, "--json"))
        print_checkpoint_json(last);
    else
        fwrite(last->text, 1, last->length, stdout);
    free(last);
    return exit;
}

/* What is no file of its own, a FIFO or a device or a link, is not to be replaced by one. */
static enum dbk_code put_into(const char *path, const char *text, size_t length,
                              struct dbk_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    enum dbk_code code;

    if (fd < 0)
        return dbk_system_fail(err, "open", path);
    code = dbk_write_all(fd, text, length, path, err);
    close(fd);
    return code;
}

/* To -o FILE, whole or not at all; else to standard output. */
static enum dbk_code put(const struct tool *tool, const char *text, size_t length,
                         struct dbk_error *err)
{
    const char *path = tool_value(tool, "-o");
    struct stat status;

    if (!path || !strcmp(path, "-") || !strcmp(path, "/dev/stdout")) {
        fwrite(text, 1, length, stdout);
        return DBK_OK;
    }
    if (lstat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return put_into(path, text, length, err);
    return dbk_write_file(path, 0666, text, length, err);
}

enum tool_exit audit_prove(const struct tool *tool)
{
    struct dbk_error err;
    uint64_t sequence;
    char *end, *text = NULL;
    size_t length;
    enum dbk_code code;

    errno = 0;
    sequence = strtoull(tool->operands[1], &end, 10);
    if (*end || errno != 0 || tool->operands[1][0] < '1' || tool->operands[1][0] > '9')
        code = dbk_fail(&err, DBK_INVALID, "\"%.64s\" is no record's sequence",
                        tool->operands[1]);
    else
        code = audit_proof_make(tool, sequence, &text, &length, &err);
    if (code == DBK_OK)
        code = put(tool, text, length, &err);
    free(text);
    return code == DBK_OK ? TOOL_DONE : tool_refuse(tool, &err);
}

static void print_proof_json(const struct dbk_log_checkpoint *old,
                             const struct dbk_log_checkpoint *new,
                             const struct dbk_proof *proof)
{
    char text[DBK_HASH_TEXT + 1];

    fputs("{\"origin\":", stdout);
    escape_string(stdout, new->origin);
    printf(",\"old\":%" PRIu64 ",\"new\":%" PRIu64 ",\"hashes\":[", old->size,
           new->size);
    for (size_t i = 0; i < proof->count; i++) {
        dbk_hash_format(&proof->hashes[i], text);
        printf("%s\"%s\"", i ? "," : "", text);
    }
    puts("]}");
}

/* The proof's hashes, a line each, as witnesses are told them. */
static void print_proof(const struct dbk_log_checkpoint *old,
                        const struct dbk_log_checkpoint *new,
                        const struct dbk_proof *proof)
{
    char text[DBK_HASH_TEXT + 1];

    fprintf(stderr,
            "%" PRIu64 " records extend %" PRIu64 ", as these %zu hashes prove:\n",
            new->size, old->size, proof->count);
    for (size_t i = 0; i < proof->count; i++) {
        dbk_hash_format(&proof->hashes[i], text);
        puts(text);
    }
}

static enum dbk_code compare(const struct tool *tool,
                             const struct dbk_log_checkpoint *old,
                             const struct dbk_log_checkpoint *new,
                             struct dbk_error *err)
{
    struct audit_tree tree = {NULL, NULL};
    struct dbk_proof proof;
    enum dbk_code code;

    if (strcmp(old->origin, new->origin) != 0)
        return dbk_fail(err, DBK_INVALID, "they are of two logs: %.160s and %.160s",
                        old->origin, new->origin);
    if (old->size > new->size)
        return dbk_fail(err, DBK_INVALID, "the first has more records than the second");
    code = audit_tree_open(tool, new->size, &new->root, &tree, err);
    if (code == DBK_OK)
        code = dbk_tree_consistency(tree.tree, old->size, new->size, &proof, err);
    if (code == DBK_OK &&
        !dbk_proof_extends(&proof, old->size, &old->root, new->size, &new->root))
        code = dbk_fail(err, DBK_DAMAGED,
                        "two histories: the second, of %" PRIu64
                        " records, does not extend the first, of %" PRIu64
                        ", and both are signed",
                        new->size, old->size);
    if (code == DBK_OK)
        (tool_has(tool, "--json") ? print_proof_json : print_proof)(old, new, &proof);
    audit_tree_close(&tree);
    return code;
}

enum tool_exit audit_consistency(const struct tool *tool)
{
    struct audit_keys *keys = calloc(1, sizeof *keys);
    struct audit_checkpoint *two = calloc(2, sizeof *two);
    struct dbk_error err = {.code = DBK_NO_MEMORY, .text = "no memory for a proof"};
    enum dbk_code code = DBK_NO_MEMORY;

    if (keys && two)
        code = audit_keys_read(tool, keys, &err);
    for (size_t i = 0; i < 2 && code == DBK_OK; i++)
        code = audit_checkpoint_read(keys, tool->operands[i + 1], &two[i], &err);
    if (code == DBK_OK)
        code = compare(tool, &two[0].is, &two[1].is, &err);
    for (size_t i = 0; i < 2 && two; i++)
        free(two[i].text);
    if (keys)
        audit_keys_finish(keys);
    free(keys);
    free(two);
    return code == DBK_OK ? TOOL_DONE : tool_refuse(tool, &err);
}
