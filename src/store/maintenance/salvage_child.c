#include "salvage_child.h"

#include "environment.h"
#include "index.h"
#include "log_value.h"
#include "map.h"
#include "sandbox.h"
#include "store/record.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define RECORD_LEAST 16 /* bytes that a record takes in the file, to say the least */

/* One reader. */
struct reader {
    struct environment environment;
    MDB_txn *txn;       /* NULL: none is open */
    MDB_cursor *cursor; /* NULL: not placed; else at the record before */
    uint64_t at, to;    /* the next, the last */
    int pipe;
};

static void send(const struct reader *reader, const struct salvage_frame *frame,
                 const void *bytes)
{
    const struct iovec parts[] = {
        {(void *)(uintptr_t)frame, sizeof *frame},
        {(void *)(uintptr_t)bytes, frame->length},
    };
    size_t total = sizeof *frame + frame->length, sent = 0;
    ssize_t done = writev(reader->pipe, parts, frame->length > 0 ? 2 : 1);

    if (done > 0)
        sent = (size_t)done;
    while (done > 0 && sent < total) { /* a signal came; the pipe is full */
        size_t behind = sent < sizeof *frame ? 0 : sent - sizeof *frame;

        done = sent < sizeof *frame ? write(reader->pipe, (const char *)frame + sent,
                                            sizeof *frame - sent)
                                    : write(reader->pipe, (const char *)bytes + behind,
                                            frame->length - behind);
        sent += done > 0 ? (size_t)done : 0;
    }
    if (done <= 0) /* nobody wants it */
        _exit(1);
}

static void send_lost(const struct reader *reader, const char *why)
{
    struct salvage_frame frame = {
        .kind = SALVAGE_ITEM, .sequence = reader->at, .state = DBK_SALVAGE_LOST};

    snprintf(frame.why, sizeof frame.why, "%s", why);
    send(reader, &frame, NULL);
}

static void send_value(const struct reader *reader, MDB_val value)
{
    struct salvage_frame frame = {
        .kind = SALVAGE_ITEM, .sequence = reader->at, .state = DBK_SALVAGE_CHANGED};
    struct dbk_record record;
    struct dbk_error why;
    size_t length;

    if (value.mv_size < LOG_VALUE_CHECKSUM ||
        value.mv_size > DBK_RECORD_MAX + LOG_VALUE_CHECKSUM) {
        send_lost(reader, "its length is wrong");
        return;
    }
    frame.length = (uint32_t)(value.mv_size - LOG_VALUE_CHECKSUM);
    frame.checksum = log_value_checksum(value.mv_data, frame.length);
    if (!log_value_check(value.mv_data, value.mv_size, &length))
        snprintf(frame.why, sizeof frame.why, "its checksum is wrong");
    else if (dbk_record_decode(value.mv_data, length, &record, &why) != DBK_OK)
        snprintf(frame.why, sizeof frame.why, "%.120s", why.text);
    else if (record.sequence != reader->at)
        snprintf(frame.why, sizeof frame.why, "it says that it has another sequence");
    else
        frame.state = DBK_SALVAGED;
    send(reader, &frame, value.mv_data);
}

static void end_txn(struct reader *reader)
{
    if (reader->cursor)
        mdb_cursor_close(reader->cursor);
    reader->cursor = NULL;
    mdb_txn_abort(reader->txn);
    reader->txn = NULL;
}

static bool is_at(MDB_val key, uint64_t sequence)
{
    uint64_t found;

    if (key.mv_size != sizeof found)
        return false;
    memcpy(&found, key.mv_data, sizeof found);
    return found == sequence;
}

/* The record behind the last one that was found. */
static bool walk(struct reader *reader, MDB_val *value)
{
    MDB_val key;

    if (!reader->cursor)
        return false;
    if (mdb_cursor_get(reader->cursor, &key, value, MDB_NEXT) == 0 &&
        is_at(key, reader->at))
        return true;
    end_txn(reader); /* a failure may have spoiled it */
    return false;
}

/* By itself. */
static int find(struct reader *reader, MDB_val *value)
{
    MDB_val key = {sizeof reader->at, &reader->at};
    int rc = 0;

    if (!reader->txn)
        rc = mdb_txn_begin(reader->environment.env, NULL, MDB_RDONLY, &reader->txn);
    if (rc != 0) {
        reader->txn = NULL;
        return rc;
    }
    rc = mdb_cursor_open(reader->txn, reader->environment.log, &reader->cursor);
    if (rc == 0)
        rc = mdb_cursor_get(reader->cursor, &key, value, MDB_SET_KEY);
    if (rc == 0 && !is_at(key, reader->at))
        rc = MDB_CORRUPTED;
    if (rc != 0)
        end_txn(reader);
    return rc;
}

static void read_one(struct reader *reader)
{
    MDB_val value;
    int rc = walk(reader, &value) ? 0 : find(reader, &value);

    if (rc == 0)
        send_value(reader, value);
    else if (rc == MDB_NOTFOUND)
        send_lost(reader, "it is not there");
    else
        send_lost(reader, "the file's structure is damaged here");
}

/* A sequence that the file cannot have was read from a damaged page. */
static bool is_sane(const struct reader *reader, uint64_t sequence)
{
    mdb_filehandle_t fd;
    struct stat status;

    return mdb_env_get_fd(reader->environment.env, &fd) == 0 &&
           fstat(fd, &status) == 0 &&
           sequence <= (uint64_t)status.st_size / RECORD_LEAST;
}

/* By the number of records, and by the last key: each may be damaged. */
static uint64_t find_head(struct reader *reader)
{
    uint64_t last = 0, entries = 0;
    MDB_stat stat;

    if (mdb_txn_begin(reader->environment.env, NULL, MDB_RDONLY, &reader->txn) != 0) {
        reader->txn = NULL;
        return 0;
    }
    if (mdb_stat(reader->txn, reader->environment.log, &stat) == 0)
        entries = stat.ms_entries;
    if (!is_sane(reader, entries))
        entries = 0;
    if (index_head(reader->txn, &reader->environment, &last) != 0 ||
        !is_sane(reader, last))
        last = 0;
    end_txn(reader);
    return last > entries ? last : entries;
}

/* What lies past the end of a file that was cut reads as zeroes, which is no page of
 * LMDB's, instead of ending the reader. */
static void give_zeroes(int number, siginfo_t *info, void *context)
{
    uintptr_t page = (uintptr_t)info->si_addr & ~(uintptr_t)4095;

    (void)context;
    if (info->si_code <= 0 ||
        mmap((void *)page, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
             0) == MAP_FAILED)
        signal(number, SIG_DFL);
}

static void take_cut_files(void)
{
    struct sigaction action = {.sa_sigaction = give_zeroes, .sa_flags = SA_SIGINFO};

    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

static void send_head(struct reader *reader, uint64_t head)
{
    struct salvage_frame frame = {.kind = SALVAGE_HEAD,
                                  .sequence = head,
                                  .store_id = reader->environment.store_id};

    send(reader, &frame, NULL);
}

_Noreturn void salvage_child_run(const char *dir, uint64_t from, uint64_t to, int pipe,
                                 pid_t parent)
{
    struct reader reader = {.at = from, .to = to, .pipe = pipe};
    struct salvage_frame frame = {.kind = SALVAGE_FAILED};
    struct dbk_error err;
    uint64_t head;

    sandbox_become_child(parent);
    take_cut_files();
    frame.code =
        environment_open(dir, ENVIRONMENT_SALVAGE, 0, &reader.environment, &err);
    if (frame.code != DBK_OK) {
        snprintf(frame.why, sizeof frame.why, "%.127s", err.text);
        send(&reader, &frame, NULL);
        _exit(1);
    }
    head = find_head(&reader);
    send_head(&reader, head);
    if (reader.to == 0)
        reader.to = head;
    for (; reader.at <= reader.to; reader.at++)
        read_one(&reader);
    frame.kind = SALVAGE_END;
    send(&reader, &frame, NULL);
    _exit(0);
}
