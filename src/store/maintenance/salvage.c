#include "store/salvage.h"

#include "salvage_child.h"
#include "store/record.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEATHS_MAX 10000
#define STUCK_MS 60000
#define READ_BYTES ((size_t)64 << 10)

struct dbk_salvage {
    char dir[PATH_MAX];
    uint64_t next, to; /* the one that is to be given next; the last */
    uint64_t head;
    struct dbk_uuid store_id;
    unsigned deaths;
    pid_t child; /* 0: none runs */
    int pipe;
    size_t start, end; /* what lies in bytes and was not taken yet */
    char bytes[sizeof(struct salvage_frame) + DBK_RECORD_MAX + READ_BYTES];
};

static void end_child(struct dbk_salvage *salvage)
{
    if (salvage->child <= 0)
        return;
    close(salvage->pipe);
    kill(salvage->child, SIGKILL);
    while (waitpid(salvage->child, NULL, 0) < 0 && errno == EINTR)
        continue;
    salvage->child = 0;
    salvage->start = salvage->end = 0;
}

static enum dbk_code start_child(struct dbk_salvage *salvage, struct dbk_error *err)
{
    pid_t parent = getpid();
    int fds[2];

    assert(salvage->child == 0);
    if (pipe(fds) != 0)
        return dbk_fail(err, DBK_IO, "pipe: %s", strerror(errno));
    salvage->child = fork();
    if (salvage->child == 0) {
        close(fds[0]);
        salvage_child_run(salvage->dir, salvage->next, salvage->to, fds[1], parent);
    }
    close(fds[1]);
    salvage->pipe = fds[0];
    if (salvage->child > 0)
        return DBK_OK;
    salvage->child = 0;
    close(fds[0]);
    return dbk_fail(err, DBK_IO, "fork: %s", strerror(errno));
}

/* Have so many bytes at hand. False: the child has ended before. */
static bool have(struct dbk_salvage *salvage, size_t length)
{
    assert(length <= sizeof salvage->bytes);
    if (salvage->start + length > sizeof salvage->bytes) {
        memmove(salvage->bytes, salvage->bytes + salvage->start,
                salvage->end - salvage->start);
        salvage->end -= salvage->start;
        salvage->start = 0;
    }
    while (salvage->end - salvage->start < length) {
        struct pollfd ready = {.fd = salvage->pipe, .events = POLLIN};
        ssize_t got;

        if (poll(&ready, 1, STUCK_MS) == 0) /* it goes round in a damaged tree */
            return false;
        got = read(salvage->pipe, salvage->bytes + salvage->end,
                   sizeof salvage->bytes - salvage->end);

        if (got > 0)
            salvage->end += (size_t)got;
        else if (got == 0 || errno != EINTR)
            return false;
    }
    return true;
}

/* The next frame, and where its bytes are. False: the child died, or is about to: what it
 * read has spoiled it. */
static bool take(struct dbk_salvage *salvage, struct salvage_frame *frame,
                 const char **bytes)
{
    if (!have(salvage, sizeof *frame))
        return false;
    memcpy(frame, salvage->bytes + salvage->start, sizeof *frame);
    if (frame->length > DBK_RECORD_MAX || !have(salvage, sizeof *frame + frame->length))
        return false;
    *bytes = salvage->bytes + salvage->start + sizeof *frame;
    salvage->start += sizeof *frame + frame->length;
    return true;
}

/* What each child says first. */
static enum dbk_code take_head(struct dbk_salvage *salvage, struct dbk_error *err)
{
    struct salvage_frame frame;
    const char *bytes;

    if (!take(salvage, &frame, &bytes) ||
        (frame.kind != SALVAGE_FAILED && frame.kind != SALVAGE_HEAD))
        return dbk_fail(err, DBK_DAMAGED,
                        "%s: the file is so damaged that it cannot be opened: opening "
                        "it ended the reader",
                        salvage->dir);
    if (frame.kind == SALVAGE_FAILED)
        return dbk_fail(err, frame.code, "%s", frame.why);
    salvage->head = frame.sequence;
    salvage->store_id = frame.store_id;
    return DBK_OK;
}

static enum dbk_code begin(struct dbk_salvage *salvage, struct dbk_error *err)
{
    enum dbk_code code = start_child(salvage, err);

    if (code == DBK_OK)
        code = take_head(salvage, err);
    if (code != DBK_OK)
        return code;
    if (salvage->to == 0)
        salvage->to = salvage->head;
    if (salvage->to > salvage->head)
        return dbk_fail(err, DBK_NOT_FOUND, "%s ends with record %" PRIu64,
                        salvage->dir, salvage->head);
    return DBK_OK;
}

enum dbk_code dbk_salvage_open(const char *dir, uint64_t from, uint64_t to,
                               struct dbk_salvage **out, struct dbk_error *err)
{
    struct dbk_salvage *salvage = malloc(sizeof *salvage);
    enum dbk_code code;

    assert(from > 0);
    *out = NULL;
    if (!salvage)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read the log");
    memset(salvage, 0, offsetof(struct dbk_salvage, bytes));
    salvage->next = from;
    salvage->to = to;
    if (snprintf(salvage->dir, sizeof salvage->dir, "%s", dir) >= PATH_MAX)
        code = dbk_fail(err, DBK_INVALID, "the path of the log is too long");
    else
        code = begin(salvage, err);
    if (code != DBK_OK) {
        dbk_salvage_close(salvage);
        return code;
    }
    *out = salvage;
    return DBK_OK;
}

/* It died of the record that was to come next: another one goes on behind it. */
static enum dbk_code outlive(struct dbk_salvage *salvage, struct dbk_salvaged *out,
                             struct dbk_error *err)
{
    uint64_t to = salvage->to;
    enum dbk_code code;

    end_child(salvage);
    if (++salvage->deaths > DEATHS_MAX)
        return dbk_fail(err, DBK_IO,
                        "reading %s ended the reader too often; from record %" PRIu64
                        " on nothing was tried",
                        salvage->dir, salvage->next);
    *out = (struct dbk_salvaged){.sequence = salvage->next++,
                                 .state = DBK_SALVAGE_LOST,
                                 .why = "reading it ended the reader"};
    if (salvage->next > to)
        return DBK_OK;
    code = start_child(salvage, err);
    if (code == DBK_OK)
        code = take_head(salvage, err);
    return code;
}

enum dbk_code dbk_salvage_next(struct dbk_salvage *salvage, struct dbk_salvaged *out,
                               struct dbk_error *err)
{
    struct salvage_frame frame;
    const char *bytes;

    if (salvage->next > salvage->to)
        return DBK_NOT_FOUND;
    if (!take(salvage, &frame, &bytes) || frame.kind != SALVAGE_ITEM ||
        frame.sequence != salvage->next)
        return outlive(salvage, out, err);
    salvage->next++;
    *out = (struct dbk_salvaged){.sequence = frame.sequence,
                                 .state = frame.state,
                                 .bytes = bytes,
                                 .length = frame.length,
                                 .checksum = frame.checksum};
    memcpy(out->why, frame.why, sizeof out->why);
    return DBK_OK;
}

uint64_t dbk_salvage_head(const struct dbk_salvage *salvage)
{
    return salvage->head;
}

struct dbk_uuid dbk_salvage_store_id(const struct dbk_salvage *salvage)
{
    return salvage->store_id;
}

void dbk_salvage_close(struct dbk_salvage *salvage)
{
    if (!salvage)
        return;
    end_child(salvage);
    free(salvage);
}
