/* history.h - which records are about a person: by an index beside the log, or by a walk.
 *
 * The index follows from the log and is never needed: who asks looks in it as far as it
 * goes, and walks over the log from there on, so that the answer is the same with it,
 * without it, and while it grows. It grows behind the commits, in a thread of its own, and
 * costs them nothing. Deleted, damaged, or of another history than the log's, it is made
 * anew.
 *
 * Files: runs in a directory of its own (src/store/history/run.h).
 */
#ifndef DBK_STORE_HISTORY_H
#define DBK_STORE_HISTORY_H

#include "store/log.h"

/* Which records are about a person: the person's own, and those of the person's events; also
 * of events from before their anonymous id was the person's. */
struct dbk_person_records {
    struct dbk_uuid id;
    struct dbk_log *log;        /* borrowed */
    struct dbk_aliases aliases; /* as they were at first */
    /* Of who was erased: the keys of the person.erased, as it has them; borrowed. Then they
     * are the records that these keys sealed, which nobody can open. */
    struct dbk_slice keys;
};

/* As dbk_log_aliases. */
enum dbk_code dbk_person_records_init(struct dbk_person_records *records,
                                      struct dbk_log *log, const struct dbk_uuid *id,
                                      struct dbk_error *err);
/* Of a person who was erased: those that became unreadable. keys: as above. */
void dbk_person_records_erased(struct dbk_person_records *records, struct dbk_log *log,
                               const struct dbk_uuid *id, struct dbk_slice keys);
void dbk_person_records_finish(struct dbk_person_records *records); /* zeroed is fine */

/* Thread-safe. */
bool dbk_person_records_has(const struct dbk_person_records *records,
                            const struct dbk_record *record);

struct dbk_history; /* an open index; safe to share between threads */

struct dbk_history_options {
    /* Told what an operator should know, a line each, once until it changes; called from
     * its thread. May be NULL. */
    void (*report)(void *context, const char *line);
    void *report_context;
    size_t records; /* written at once, at least; 0: 16,384 */
    int idle_ms;    /* how long fewer may wait for others; 0: 10 s */
};

/* Open the index in dir for reading, as it is now. Close it with dbk_history_close.
 *
 * DBK_NOT_FOUND  there is none
 * DBK_MOVED      it is of another log, or of another history of this one
 * DBK_DAMAGED, DBK_IO, DBK_NO_MEMORY
 */
enum dbk_code dbk_history_open(const char *dir, struct dbk_log *log,
                               struct dbk_history **history, struct dbk_error *err);

/* Open it for reading, and let it grow: made (0700) where there is none, and anew where it
 * is not of this log. One process at a time. What goes wrong in dir is reported, and tried
 * again: it fails for want of memory or a thread only (DBK_NO_MEMORY, DBK_IO). */
enum dbk_code dbk_history_start(const char *dir, struct dbk_log *log,
                                const struct dbk_history_options *options,
                                struct dbk_history **history, struct dbk_error *err);

/* Stop its thread, and close it; no read may be under way. NULL is fine. */
void dbk_history_close(struct dbk_history *history);

/* Up to which record it goes; 0 for NULL. Waits for nobody. */
uint64_t dbk_history_position(struct dbk_history *history);

/* Remove an index, with its directory; nobody may have it open. What is no file of one
 * stays, and what cannot be removed is no failure: it will be found to be stale. */
void dbk_history_remove(const char *dir);

/* A page of what is about a person. */
struct dbk_history_page {
    /* To begin behind this record; receives up to which one was looked. */
    uint64_t after;
    size_t limit;        /* of sequences, at least 1 */
    uint64_t *sequences; /* room for limit; receives those found, in order */
    size_t count;        /* of them */
    /* How many records may be looked at, about; the page ends then, and may be empty though
     * there are more. 0: any number. */
    uint64_t look_max;
    uint64_t looked; /* receives at how many it did */
    /* Find those that are no record any more, too: whose they are nobody knows. One whose key
     * is damaged (dbk_record.damaged) says that in the clear, and is found by it. */
    bool unreadable;
    bool more; /* receives whether there may be more behind */
};

/* Find the next page. history is of that log, or NULL: then it walks. No read transaction is
 * open for longer than some thousand records take. Thread-safe.
 *
 * DBK_KEYS_AWAY  whose records are cannot be told now, but of who was erased
 * DBK_IO, DBK_UNAVAILABLE, DBK_NO_MEMORY, DBK_DAMAGED (the log has a gap)
 */
enum dbk_code dbk_history_find(struct dbk_history *history,
                               const struct dbk_person_records *person,
                               struct dbk_history_page *page, struct dbk_error *err);

#endif
