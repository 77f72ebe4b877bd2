#include "import_file.h"

#include "escape.h"
#include "store/thread.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

void import_finish(struct import *import)
{
    for (size_t i = 0; i < 2; i++)
        import_batch_finish(&import->batches[i]);
}

static void complain(struct import *import, uint64_t line, const char *reason)
{
    char text[4096] = "", place[24];
    struct line safe = {.text = text, .size = sizeof text};

    if (!import->complaints)
        return;
    progress_clear(import->progress);
    snprintf(place, sizeof place, ":%" PRIu64 ": ", line);
    line_add_plain(&safe, import->path);
    line_add(&safe, place);
    line_add_plain(&safe, reason);
    fprintf(import->complaints, "%s\n", text);
}

static void tell(void *context, enum dbk_type type, uint64_t line,
                 enum import_fate fate, const char *reason)
{
    struct import *import = context;
    bool person = type == DBK_PERSON_CREATED;

    switch (fate) {
    case IMPORT_ADDED:
        ++*(person ? &import->persons_added : &import->events_added);
        break;
    case IMPORT_UPDATED:
        import->persons_updated++;
        break;
    case IMPORT_THERE:
        ++*(person ? &import->persons_there : &import->events_there);
        break;
    case IMPORT_BAD:
        if (import->bad++ == 0 || import->go_on)
            complain(import, line, reason);
        break;
    }
}

static void *fly(void *context)
{
    struct import_flight *flight = context;

    flight->code = import_batch_submit(flight->batch, flight->log, &flight->err);
    return NULL;
}

/* Begin to append what is gathered of the lines up to number, and gather in the other
 * batch. */
static void launch(struct import *import, uint64_t number)
{
    struct import_flight *flight = &import->flight;

    assert(!flight->flying); /* the batch before has landed */
    flight->flying = true;
    flight->log = import->log;
    flight->batch = &import->batches[import->gathering];
    flight->number = number;
    flight->threaded =
        dbk_thread_start(&flight->thread, "dbk-append", fly, flight, NULL) == DBK_OK;
    if (!flight->threaded)
        fly(flight);
    import->gathering ^= 1;
}

/* Wait for what is on its way, and tell what became of it; DBK_INVALID where that shows a
 * bad line to stop at. */
static enum dbk_code land(struct import *import, struct dbk_error *err)
{
    struct import_flight *flight = &import->flight;
    uint64_t bad = import->bad;
    enum dbk_code code;

    if (!flight->flying)
        return DBK_OK;
    if (flight->threaded)
        pthread_join(flight->thread, NULL);
    flight->flying = false;
    code = flight->code;
    if (code == DBK_OK)
        code = import_batch_tell(flight->batch, import->log, tell, import, err);
    else
        *err = flight->err;
    import_batch_empty(flight->batch);
    if (code != DBK_OK)
        return code;
    import->done = flight->number;
    if (import->bad > bad && !import->go_on)
        return dbk_fail(err, DBK_INVALID, "stopped at a bad line");
    return DBK_OK;
}

static struct import_batch *gathered(struct import *import)
{
    assert(!import->flight.flying ||
           import->flight.batch != &import->batches[import->gathering]);
    return &import->batches[import->gathering];
}

static bool is_blank(struct dbk_slice line)
{
    for (size_t i = 0; i < line.length; i++) {
        if (line.data[i] != ' ' && line.data[i] != '\t')
            return false;
    }
    return true;
}

static enum dbk_code read_body(const struct import *import, struct dbk_slice line,
                               enum dbk_type type, struct dbk_body *body,
                               struct dbk_error *err)
{
    struct dbk_field_errors fields = {0};

    if (type == DBK_PERSON_CREATED)
        return dbk_body_person(line.data, line.length, DBK_BODY_IMPORT, body, &fields,
                               err);
    return dbk_body_event(line.data, line.length, DBK_BODY_IMPORT, import->rules, body,
                          &fields, err);
}

static enum dbk_code add_line(struct import *import, uint64_t number,
                              struct dbk_slice line, enum dbk_type type,
                              struct dbk_error *err)
{
    struct dbk_body body;
    enum dbk_code code;

    if (is_blank(line))
        return DBK_OK;
    code = read_body(import, line, type, &body, err);
    if (code == DBK_OK)
        return import_batch_add(gathered(import), number, line.length, &body, err);
    if (code == DBK_INVALID)
        return import_batch_add_bad(gathered(import), number, err->text, err);
    return code;
}

static enum dbk_code gather_one(struct import *import, struct line_reader *lines,
                                enum dbk_type type, bool *more, struct dbk_error *err)
{
    struct dbk_slice line;

    switch (line_reader_next(lines, &line, err)) {
    case LINE_READ:
        import->lines++;
        return add_line(import, line_reader_number(lines), line, type, err);
    case LINE_TOO_LONG:
        import->lines++;
        return import_batch_add_bad(gathered(import), line_reader_number(lines),
                                    "more than 1 MiB in one line", err);
    case LINE_END:
        *more = false;
        return DBK_OK;
    case LINE_FAILED:
        return err->code;
    }
    return DBK_OK;
}

/* Read until the batch is full, a line stops the import, or *more turns false. Where the
 * file breaks off, what was read before that is in the batch. */
static enum dbk_code gather(struct import *import, struct line_reader *lines,
                            enum dbk_type type, bool *more, struct dbk_error *err)
{
    const struct import_batch *batch = gathered(import);
    enum dbk_code code = DBK_OK;

    while (code == DBK_OK && *more && !import_batch_full(batch) &&
           !(batch->bad && !import->go_on))
        code = gather_one(import, lines, type, more, err);
    return code;
}

/* Append what is gathered of the lines up to number, once all is well with the batch
 * before; and where it is the last one, see what became of it. */
static enum dbk_code append(struct import *import, uint64_t number, bool last,
                            struct dbk_error *err)
{
    enum dbk_code code = land(import, err);

    if (code != DBK_OK) {
        import_batch_empty(gathered(import));
        return code;
    }
    launch(import, number);
    return last ? land(import, err) : DBK_OK;
}

/* One batch. What was read is appended also where reading on failed. */
static enum dbk_code step(struct import *import, struct line_reader *lines,
                          enum dbk_type type, bool *more, struct dbk_error *err)
{
    struct dbk_error append_err;
    enum dbk_code code = gather(import, lines, type, more, err);
    bool stopping = gathered(import)->bad && !import->go_on;
    bool interrupted = code == DBK_OK && *more && dbk_watch_stops(import->watch);
    bool last = code != DBK_OK || !*more || stopping || interrupted;

    if (append(import, line_reader_number(lines), last, &append_err) != DBK_OK) {
        *err = append_err;
        code = append_err.code;
    }
    progress_show_share(import->progress, line_reader_number(lines),
                        line_reader_share(lines));
    if (code == DBK_OK && interrupted)
        code = dbk_fail(err, DBK_UNAVAILABLE, "interrupted");
    return code;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

enum dbk_code import_file(struct import *import, const char *path,
                          struct line_reader *lines, enum dbk_type type,
                          struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    bool more = true;

    import->path = path;
    import->done = 0;
    progress_phase(import->progress, base_name(path), "lines");
    while (code == DBK_OK && more)
        code = step(import, lines, type, &more, err);
    progress_clear(import->progress);
    if (code != DBK_OK && code != DBK_INVALID)
        return dbk_wrap(err, "%s, after line %" PRIu64, path, import->done);
    return code;
}
