/* daybook person receipt: what is known of who was erased. */
#include "audit_proof.h"
#include "backup_last.h"
#include "http/erasure_json.h"
#include "lock.h"
#include "person_parts.h"
#include "person_show.h"
#include "signals.h"
#include "tool_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOKS = 30, LOOK_MS = 100 };

/* By the server's index, where it has one. */
enum dbk_code person_erasure_find(const struct tool *tool, struct dbk_log *log,
                                  const struct dbk_uuid *id,
                                  struct dbk_erasure *erasure, struct dbk_error *err)
{
    struct dbk_history *history = NULL;
    char dir[4096];
    enum dbk_code code;

    if (!tool_history_dir(tool->config, dir, sizeof dir, err))
        return err->code;
    if (dbk_history_open(dir, log, &history, NULL) != DBK_OK)
        history = NULL; /* the log has the answer */
    code = dbk_erasure_find(log, history, id, 0, erasure, err);
    dbk_history_close(history);
    return code;
}

/* A server that runs signs once a second, as it is set to. */
static enum dbk_code prove(const struct tool *tool, uint64_t sequence, char **out,
                           size_t *length, struct dbk_error *err)
{
    const char *dir = config_text(tool->config, SETTING_DATA_DIR);
    enum dbk_code code = audit_proof_make(tool, sequence, out, length, err);

    for (int look = 0; code == DBK_NOT_FOUND && look < LOOKS && !signals_came() &&
                       lock_look(dir, NULL) == DBK_CONFLICT;
         look++) {
        usleep(LOOK_MS * 1000);
        code = audit_proof_make(tool, sequence, out, length, err);
    }
    return code;
}

void person_known_find(const struct tool *tool, const struct dbk_erasure *erasure,
                       struct person_known *known)
{
    struct backup_last *last = calloc(1, sizeof *last);
    struct dbk_error why = {.code = DBK_OK};
    char dir[4096];
    size_t length;

    *known = (struct person_known){0};
    if (last)
        backup_last_read(config_text(tool->config, SETTING_DATA_DIR), last);
    if (last && last->head > 0)
        known->is.backup_at = last->at;
    free(last);
    if (!tool_audit_dir(tool->config, dir, sizeof dir, NULL) || access(dir, F_OK) != 0)
        return; /* nobody signs it */
    if (prove(tool, erasure->sequence, &known->proof, &length, &why) == DBK_OK)
        known->is.proof = (struct dbk_slice){known->proof, length};
    else
        logger_line(tool->logger, LOG_LEVEL_WARN, why.text);
}

void person_known_finish(struct person_known *known)
{
    free(known->proof);
}

static enum dbk_code find(const struct tool *tool, const struct dbk_uuid *id,
                          struct dbk_erasure *erasure, struct dbk_error *err)
{
    struct dbk_log *log;
    enum dbk_code code;

    *erasure = (struct dbk_erasure){0};
    if (tool_log_open(tool, &log, err) != DBK_OK)
        return err->code;
    code = person_erasure_find(tool, log, id, erasure, err);
    dbk_log_close(log);
    return code;
}

enum tool_exit person_receipt(const struct tool *tool)
{
    struct person_known known;
    struct dbk_erasure erasure;
    struct dbk_error err;
    struct dbk_uuid id;
    enum tool_exit exit = person_operand(tool, &id);

    if (exit != TOOL_DONE)
        return exit;
    signals_hold();
    if (find(tool, &id, &erasure, &err) != DBK_OK) {
        dbk_erasure_finish(&erasure);
        return tool_fail(tool, &err);
    }
    person_known_find(tool, &erasure, &known);
    exit = person_show(tool, &erasure, &known.is);
    person_known_finish(&known);
    dbk_erasure_finish(&erasure);
    return exit;
}
