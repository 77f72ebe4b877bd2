/* daybook person export: everything that is held of a person, as JSON. */
#include "http/person_export.h"
#include "person_parts.h"
#include "signals.h"
#include "store/durable.h"
#include "tool_data.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Where it goes. */
struct target {
    const char *path; /* NULL: standard output */
    FILE *file;
};

static enum dbk_code open_target(struct target *target, struct dbk_error *err)
{
    int fd;

    target->file = stdout;
    if (!target->path)
        return DBK_OK;
    fd = open(target->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0 && errno == EEXIST)
        return dbk_fail(err, DBK_EXISTS, "%s is there already: name another file",
                        target->path);
    target->file = fd >= 0 ? fdopen(fd, "w") : NULL;
    return target->file ? DBK_OK : dbk_system_fail(err, "create", target->path);
}

static enum dbk_code close_target(struct target *target, enum dbk_code code,
                                  struct dbk_error *err)
{
    const char *name = target->path ? target->path : "standard output";

    if (code == DBK_OK && (fflush(target->file) != 0 || ferror(target->file)))
        code = dbk_system_fail(err, "write to", name);
    if (code == DBK_OK && target->path)
        code = dbk_sync_file(fileno(target->file), target->path, err);
    if (target->path) {
        fclose(target->file);
        if (code != DBK_OK) /* half of it is not what was asked for */
            unlink(target->path);
    }
    return code;
}

static enum dbk_code write_pieces(struct dbk_person_export *export, FILE *out,
                                  struct dbk_error *err)
{
    struct dbk_render piece;
    enum dbk_code code = DBK_OK;
    bool more = true;

    dbk_render_init(&piece, 0);
    while (more && code == DBK_OK) {
        more = dbk_person_export_next(export, &piece, &code, err);
        if (code == DBK_OK)
            fwrite(piece.text, 1, piece.length, out);
        dbk_render_clear(&piece);
        if (signals_came())
            code = dbk_fail(err, DBK_INTERRUPTED, "stopped");
        else if (ferror(out))
            more = false; /* closing tells it */
    }
    if (code == DBK_OK)
        putc('\n', out);
    dbk_render_finish(&piece);
    return code;
}

static enum dbk_code write_export(struct dbk_log *log, struct dbk_history *history,
                                  const struct dbk_uuid *id, struct target *target,
                                  struct dbk_error *err)
{
    struct dbk_person_export *export;
    enum dbk_code code;

    if (dbk_person_export_begin(log, history, id, &export, err) != DBK_OK)
        return err->code;
    code = open_target(target, err);
    if (code == DBK_OK) {
        code = write_pieces(export, target->file, err);
        code = close_target(target, code, err);
    }
    if (code == DBK_OK && target->path)
        fprintf(stderr, "wrote %s: what is held as of record %" PRIu64 "\n",
                target->path, dbk_person_export_sequence(export));
    dbk_person_export_end(export);
    return code;
}

/* By the server's index, where it has one. */
static enum dbk_code run(const struct tool *tool, const struct dbk_uuid *id,
                         struct target *target, struct dbk_error *err)
{
    struct dbk_history *history = NULL;
    struct dbk_log *log;
    char dir[PATH_MAX];
    enum dbk_code code;

    if (!tool_history_dir(tool->config, dir, sizeof dir, err) ||
        tool_log_open_whole(tool, &log, err) != DBK_OK)
        return err->code;
    if (dbk_history_open(dir, log, &history, NULL) != DBK_OK)
        history = NULL; /* the log has the answer */
    code = write_export(log, history, id, target, err);
    dbk_history_close(history);
    dbk_log_close(log);
    return code;
}

enum tool_exit person_export(const struct tool *tool)
{
    struct target target = {.path = tool_value(tool, "--output")};
    struct dbk_error err;
    struct dbk_uuid id;
    enum tool_exit exit = person_operand(tool, &id);

    if (exit != TOOL_DONE)
        return exit;
    if (target.path && strcmp(target.path, "-") == 0)
        target.path = NULL;
    signals_hold();
    return run(tool, &id, &target, &err) == DBK_OK ? TOOL_DONE : tool_fail(tool, &err);
}
