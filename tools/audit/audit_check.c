/* Whether a log is what was signed: daybook audit verify. */
#include "audit_parts.h"
#include "audit_source.h"
#include "audit_verify.h"
#include "signals.h"
#include "store/proof/notary.h"
#include "tool_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHECKPOINTS_MAX = 64 };

struct check {
    const struct tool *tool;
    struct audit_keys keys;
    struct audit_verified list[CHECKPOINTS_MAX];
    size_t count;
    struct audit_refused *refused; /* owned */
    size_t refused_count;
    char dir[4096], tree[DBK_AUDIT_PATH], last[DBK_AUDIT_PATH];
};

static enum dbk_code refuse(struct check *check, const char *path,
                            struct dbk_error *err)
{
    struct audit_refused *grown =
        realloc(check->refused, (check->refused_count + 1) * sizeof *grown);

    if (!grown)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to verify");
    check->refused = grown;
    grown += check->refused_count++;
    snprintf(grown->path, sizeof grown->path, "%s", path);
    grown->why = *err;
    return DBK_OK;
}

/* One that is not signed as it must be is a finding. */
static enum dbk_code believe(struct check *check, const char *path, enum dbk_code code,
                             struct dbk_error *err)
{
    if (code == DBK_OK) {
        check->count++;
        return DBK_OK;
    }
    free(check->list[check->count].checkpoint.text);
    return code == DBK_IO || code == DBK_NO_MEMORY ? code : refuse(check, path, err);
}

/* One that is not there is none. */
static enum dbk_code add(struct check *check, const char *path, struct dbk_error *err)
{
    enum dbk_code code;

    if (check->count == CHECKPOINTS_MAX)
        return dbk_fail(err, DBK_INVALID, "more than %d checkpoints", CHECKPOINTS_MAX);
    if (access(path, R_OK) != 0 && strcmp(path, "-") != 0)
        return dbk_fail(err, DBK_NOT_FOUND, "there is no checkpoint %s", path);
    code = audit_checkpoint_read(&check->keys, path,
                                 &check->list[check->count].checkpoint, err);
    return believe(check, path, code, err);
}

/* What the copy to be verified carries, where one was named and it does. */
static enum dbk_code add_carried(struct check *check, struct dbk_error *err)
{
    char name[AUDIT_SOURCE_NAME], *text;
    size_t length;

    if (check->tool->operand_count < 2)
        return DBK_OK;
    if (audit_source_checkpoint(check->tool->operands[1], name, &text, &length, err) !=
        DBK_OK)
        return err->code;
    if (!text)
        return DBK_OK;
    return believe(check, name,
                   audit_checkpoint_take(&check->keys, name, text, length,
                                         &check->list[0].checkpoint, err),
                   err);
}

/* None was given. */
static enum dbk_code add_found(struct check *check, struct dbk_error *err)
{
    enum dbk_code code = add_carried(check, err);

    if (code != DBK_OK || check->count + check->refused_count > 0)
        return code;
    code = add(check, check->last, err);
    return code == DBK_NOT_FOUND ? dbk_fail(err, DBK_INVALID,
                                            "nothing to hold the log against: give "
                                            "--checkpoint")
                                 : code;
}

/* The option came several times: joined by commas. */
static enum dbk_code add_all(struct check *check, const char *given,
                             struct dbk_error *err)
{
    char *list = strdup(given), *rest = NULL;
    enum dbk_code code =
        list ? DBK_OK : dbk_fail(err, DBK_NO_MEMORY, "no memory to verify");

    if (list && !given[strspn(given, ",")]) /* a variable that was not set, say */
        code = dbk_fail(err, DBK_INVALID, "--checkpoint is empty: name a file");

    for (char *one = list ? strtok_r(list, ",", &rest) : NULL; one && code == DBK_OK;
         one = strtok_r(NULL, ",", &rest))
        code = add(check, one, err);
    free(list);
    return code;
}

/* A data directory has its own. */
static bool find_dir(struct check *check, struct dbk_error *err)
{
    const struct tool *tool = check->tool;

    if (tool->operand_count > 1 &&
        snprintf(check->dir, sizeof check->dir, "%s/audit", tool->operands[1]) <
            (int)sizeof check->dir &&
        access(check->dir, F_OK) == 0)
        return true;
    return tool_audit_dir(tool->config, check->dir, sizeof check->dir, err);
}

static enum dbk_code prepare(struct check *check, struct dbk_error *err)
{
    const char *given = tool_value(check->tool, "--checkpoint");
    enum dbk_code code;

    if (!find_dir(check, err))
        return err->code;
    if (!dbk_audit_path(check->dir, "tree", check->tree) ||
        !dbk_audit_path(check->dir, "last", check->last))
        return dbk_fail(err, DBK_INVALID, "the data directory's path is too long");
    code = audit_keys_read(check->tool, &check->keys, err);
    if (code != DBK_OK)
        return code;
    return given ? add_all(check, given, err) : add_found(check, err);
}

/* Whether a checkpoint is of the log that audit/tree is of: what is verified may be another's,
 * which that says nothing about. */
static bool is_own(const struct check *check)
{
    struct dbk_vkey keys[AUDIT_KEYS_MAX];
    size_t count;

    if (dbk_audit_keys(check->dir, keys, AUDIT_KEYS_MAX, &count, NULL) != DBK_OK)
        return false;
    for (size_t i = 0; i < check->count * count; i++) {
        if (!strcmp(check->list[i / count].checkpoint.is.origin, keys[i % count].name))
            return true;
    }
    return false;
}

static enum tool_exit verify(struct check *check)
{
    const struct tool *tool = check->tool;
    const char *older = tool_value(tool, "--against");
    const char *path = tool->operand_count > 1
                           ? tool->operands[1]
                           : config_text(tool->config, SETTING_DATA_DIR);
    struct audit_found found;
    struct audit_report report;
    struct dbk_error err;

    if (older && !*older)
        return tool_misused(tool, "--against is empty: name a copy");
    if (check->keys.own)
        fputs("by the keys of this machine: an auditor brings his own (--vkey)\n",
              stderr);
    if (audit_verify_run(tool, path, check->list, check->count,
                         is_own(check) ? check->tree : "", older ? older : "", &found,
                         &err) != DBK_OK)
        return tool_refuse(tool, &err);
    report = (struct audit_report){.found = &found,
                                   .verified = check->list,
                                   .count = check->count,
                                   .refused = check->refused,
                                   .refused_count = check->refused_count};
    if (tool_has(tool, "--json"))
        audit_report_print_json(&report);
    else
        audit_report_print(&report);
    return found.right && check->refused_count == 0 ? TOOL_DONE : TOOL_DIFFERENT;
}

enum tool_exit audit_verify(const struct tool *tool)
{
    struct check *check = calloc(1, sizeof *check);
    struct dbk_error err = {.code = DBK_NO_MEMORY, .text = "no memory to verify"};
    enum tool_exit exit;

    if (!check)
        return tool_fail(tool, &err);
    check->tool = tool;
    signals_hold();
    exit = prepare(check, &err) == DBK_OK ? verify(check) : tool_refuse(tool, &err);
    for (size_t i = 0; i < check->count; i++)
        free(check->list[i].checkpoint.text);
    audit_keys_finish(&check->keys);
    free(check->refused);
    free(check);
    return exit;
}
