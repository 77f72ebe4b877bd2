/* log.h - the append-only log, and the indexes that deciding needs.
 *
 * Knows nothing of SQL or HTTP; what JSON it keeps (an event's properties) is bytes to it.
 * Sequence numbers start at 1, rise by 1, have no gaps and are commit order: whoever has
 * seen N has seen everything up to N. Several processes may have one directory open and
 * write to it.
 *
 * Files: data.mdb and lock.mdb in the directory (LMDB's own).
 */
#ifndef DBK_STORE_LOG_H
#define DBK_STORE_LOG_H

#include "store/command.h"
#include "store/error.h"
#include "store/keys.h"
#include "store/record.h"
#include "store/uuid.h"

struct dbk_log; /* one open log; safe to share between threads */

struct dbk_log_options {
    /* For reading what is there, also from a read-only medium: nothing is written but
     * lock.mdb, where it can be, and every append is refused. Else it is for writing too,
     * and made (0700) where there is none. */
    bool read_only;
    bool existing; /* for writing, but made nowhere: what was lost is not begun anew */
    size_t queue_bytes; /* bound on the records that wait for the writer; 0: 64 MiB */
    size_t map_size;    /* bound on the file, address space only; 0: 1 TiB */
    const struct dbk_uuid *store_id; /* of a log that is made; NULL: a new one's own */
    /* The ring of the log's keys, borrowed until the log is closed: a log that is made is sealed
     * then, and one that is sealed can be written to, and read. NULL: one that is made is not,
     * and of one that is only that can be read which is in the clear. A log that is there is
     * what it was made. */
    struct dbk_keys *keys;
    /* Events of a sealed log that are recorded from now on can be forgotten by age
     * (dbk_log_expire): what each says is sealed with the key of the month (UTC), too. So their
     * records are of format 7. */
    bool by_month;
    int held_ms; /* how long a submission whose shipping is in doubt waits to be settled
                    (replicated.h); 0: 15 s */
    /* Told of what an operator should know (a commit that failed, a reopen): one line,
     * borrowed for the call; called from the thread that was appending: a submitter, or the
     * log's own. May be NULL. */
    void (*report)(void *context, const char *line);
    /* Told of writes that fail, instead of report: once per kind (the code) and minute. NULL:
     * report is. */
    void (*failed)(void *context, const struct dbk_error *why);
    void *report_context; /* of both */
};

/* Open or make the log in directory dir and start its writer thread. options may be
 * NULL. Close with dbk_log_close. One dbk_log per directory and process.
 *
 * DBK_NOT_FOUND    read_only or existing, and there is no log
 * DBK_UNSUPPORTED  the directory holds something else, or a newer format
 * DBK_DAMAGED      not an LMDB file, or shorter than it says; it is left as it is
 * DBK_BUSY         read_only, lock.mdb cannot be written, and others have the log open;
 *                  or dbk_log_number_taken
 * DBK_NO_ROOM      the file system is full
 * DBK_IO           the system refused; err says which call and why
 * DBK_CONFLICT     the ring is another log's; or read_only, and it is behind the erasures
 * DBK_NO_MEMORY
 *
 * A sealed log also as dbk_keys_erase: the ring is brought up to its erasures first.
 */
enum dbk_code dbk_log_open(const char *dir, const struct dbk_log_options *options,
                           struct dbk_log **log, struct dbk_error *err);

/* Whether what its records say of persons is sealed, as it was made. */
bool dbk_log_is_sealed(const struct dbk_log *log);

/* Whether another process that has this process's number, as one in another container may,
 * has the log in dir open: opening it is DBK_BUSY then. This process must not have it open.
 */
bool dbk_log_number_taken(const char *dir);

/* Decide what is still queued, stop the writer, close. No other call may be under way.
 * NULL is fine. */
void dbk_log_close(struct dbk_log *log);

/* A key that makes a submission happen at most once: of whoever brings it, so that the same
 * one of another is another. */
struct dbk_idempotency {
    uint8_t key[32]; /* hash of whose it is, and the key */
    /* As versions before hashed it, of the key alone: one that is found so counts where the
     * record it answers for has this actor. */
    bool has_former;
    uint8_t former[32];
    struct dbk_slice actor; /* borrowed for the call */
    uint8_t request[32];    /* hash of what was asked */
    dbk_timestamp keep_us;  /* how long to keep it, microseconds */
};

/* Decide and append count commands, in this order and in one transaction, and wait until
 * they are durable. Each gets its own verdict; one that is refused does not disturb the
 * others. With idempotency (else NULL), and the same key and request in the log, nothing
 * is appended: the commands get the verdicts of the first time (code, sequences and time;
 * no state of the person) and *replayed is true. A key is kept only where at least one
 * command was accepted; without commands it is only looked for. replayed may be NULL when
 * idempotency is.
 *
 * DBK_OK             every command has a verdict, which may be a refusal
 * DBK_BUSY           the queue is full; nothing was appended
 * DBK_KEY_REUSED     the key is known with another request; nothing was appended
 * DBK_NO_ROOM        the disk is full; nothing was appended
 * DBK_IO             the disk failed; nothing was appended
 * DBK_IN_DOUBT       the disk failed, and whether it was appended is not known now; asked
 *                    again with the same id or key, the log tells once it can
 * DBK_UNAVAILABLE    the log is closing, or the other copies cannot be reached; nothing was
 *                    appended
 * DBK_NOT_LEADER     another copy of this log appends (replicated.h); nothing was appended
 * DBK_UNSUPPORTED    it is sealed, and open without its ring; nothing was appended
 * DBK_KEYS_AWAY      its ring was removed, cut, or replaced by one that is none of its; nothing
 *                    was appended. Also what reads what is sealed fails so then
 *
 * Where a person.erased is among the commands, of one who was erased before too, it is DBK_OK
 * only when the keys are destroyed; else, as dbk_keys_erase, it is appended, and that is tried
 * again with each write, and by who opens the log.
 *
 * Verdicts (dbk_command_verdict):
 *   DBK_EXISTS     a record with this id is in the log, live; sequence tells which
 *                  (of a person.aliased: that made it this person's; of a person.erased or
 *                  person.restricted: that did it before)
 *   DBK_CONFLICT   the email, external id or anonymous id is another person's, whom the
 *                  verdict names; or the id was deleted, or is the nil UUID, which no person
 *                  can have; or an event.deleted names another person than the event's; or a
 *                  person would be left without e-mail and names, and without anything else
 *                  to be known by; or has DBK_ALIASES_MAX anonymous ids; or is to be erased,
 *                  and the log is not sealed
 *   DBK_NOT_FOUND  no such person or event; or the person has no such anonymous id, or is
 *                  not restricted
 *   DBK_MOVED      the person is not at the expected version
 *   DBK_DAMAGED    what deciding needs to know of it is damaged on disk
 */
enum dbk_code dbk_log_submit(struct dbk_log *log, struct dbk_command *const *commands,
                             size_t count, const struct dbk_idempotency *idempotency,
                             bool *replayed, struct dbk_error *err);

/* Forget what events said that were recorded before `before`, as far as whole months of UTC go,
 * and the month of now never: an events.expired is appended, then the keys of those months are
 * destroyed, as those of a person.erased are. All events up to `through` are expired from then
 * on, in whichever format they are: they are not to be shown any more, and dbk_log_read_event
 * does not find them. What those said that were recorded without by_month can still be read in
 * the log; they expire with the first month that has a key. Where nothing is due it
 * is DBK_OK, and nothing is appended. It may be asked again at any time: at most some thousand
 * months go at once. source stands in the record's meta. Waits as dbk_log_submit. Thread-safe.
 *
 * DBK_INVALID   before is not in years 1 to 9999
 * DBK_CONFLICT  the log is not sealed
 * and as dbk_log_submit */
struct dbk_log_expiry {
    uint64_t sequence; /* of the events.expired; 0: nothing was due */
    uint64_t through;  /* 0: no event is expired */
};
enum dbk_code dbk_log_expire(struct dbk_log *log, dbk_timestamp before,
                             const char *source, struct dbk_log_expiry *out,
                             struct dbk_error *err);

/* Up to which sequence all events are expired, as of now; 0: none is. DBK_IO, DBK_UNAVAILABLE. */
enum dbk_code dbk_log_expired(struct dbk_log *log, uint64_t *through,
                              struct dbk_error *err);

/* How writing goes. Waits for nobody, and for no disk but, now and then, one of those who ask:
 * for the file system's word of how much room it has, and of a sealed log's ring. */
struct dbk_log_health {
    bool
        readable; /* false: the log is being opened again; dbk_log_head may wait for it */
    /* DBK_OK: the last write went well, or none was asked for, and there is room; else what
     * the last one failed with, in the log's own words, or DBK_NO_ROOM where the next ones
     * will: less than 4 MiB are left, or DBK_KEYS_AWAY. Where nobody writes it is tried each second. */
    enum dbk_code code;
    char why[sizeof((struct dbk_error *)0)->text];
};
void dbk_log_health(struct dbk_log *log, struct dbk_log_health *out);

/* The last sequence in the log, 0 where it is empty; read from the file, so it includes
 * what other processes appended. DBK_IO, DBK_UNAVAILABLE. */
enum dbk_code dbk_log_head(struct dbk_log *log, uint64_t *head, struct dbk_error *err);

/* Records copied out of the log. Zero it before first use; dbk_batch_finish frees it. It
 * may be used again and again, and keeps its memory. */
struct dbk_batch {
    size_t count;
    struct dbk_batch_entry {
        uint64_t sequence;
        size_t offset;     /* into bytes */
        size_t length;     /* 0: its checksum is wrong, which decoding then says */
        uint32_t checksum; /* CRC-32 (zlib's) of its bytes, as the log keeps it */
    } * entries;           /* owned by the batch */
    char *bytes;
    struct dbk_keys *keys; /* that open it; private, borrowed from the log */
    uint64_t expired;      /* private: events up to here were, when it was read */
    size_t bytes_used, bytes_size, entries_size; /* private */
};

void dbk_batch_finish(struct dbk_batch *batch);

/* Empty it, and keep the memory; what was opened in it is wiped. Reading into it does so,
 * too. */
void dbk_batch_clear(struct dbk_batch *batch);

/* Copy the records after sequence `after`, at most max_records of them and, but for the
 * first, at most max_bytes. An empty batch: there are none. The read transaction ends
 * before it returns.
 *
 * DBK_IO, DBK_UNAVAILABLE, DBK_NO_MEMORY, DBK_DAMAGED (a gap)
 */
enum dbk_code dbk_log_read(struct dbk_log *log, uint64_t after, size_t max_records,
                           size_t max_bytes, struct dbk_batch *batch,
                           struct dbk_error *err);

/* Decode the i-th record of the batch, and open it where it is sealed; record's slices point
 * into the batch, which two threads must not do at once. Where the log was open without a ring
 * it stays shut; where its key was erased, record->erased is set. So it is for an event that
 * was expired when the batch was read, with record->expired, also where its key is there still.
 *
 * DBK_DAMAGED, DBK_UNSUPPORTED  as dbk_record_decode, told as "record 7: why"; DBK_DAMAGED also
 *                               where its key is damaged, or not in the ring and not erased:
 *                               then record->damaged is set, and what is in the clear is there
 * DBK_KEYS_AWAY, DBK_IO         the ring cannot be read now: not the record's fault, and not to
 *                               be passed over
 */
enum dbk_code dbk_batch_record(const struct dbk_batch *batch, size_t i,
                               struct dbk_record *record, struct dbk_error *err);
/* Whether it was the key alone, by that code: what is in the clear is there to be shown. */
bool dbk_record_lacks_key(enum dbk_code code, const struct dbk_record *record);

/* Copy one record and decode it; record's slices point into the batch. As dbk_log_read
 * and dbk_batch_record; DBK_DAMAGED also where the log has no such record: ask for the
 * head first, where the sequence is somebody's guess. */
enum dbk_code dbk_log_record(struct dbk_log *log, uint64_t sequence,
                             struct dbk_batch *batch, struct dbk_record *record,
                             struct dbk_error *err);

/* The checksum that the log keeps with the record at a sequence, CRC-32 (zlib's) of its
 * bytes; whether they still match is not looked at. Two logs that agree on it agree on the
 * record, and so, for a log is only ever appended to, were one log up to there: it tells
 * whether a sequence that was remembered, or came from elsewhere, is of this history.
 *
 * DBK_NOT_FOUND  there is no such record: 0, or past the head
 * DBK_DAMAGED    what is there is too short to have one
 * DBK_IO, DBK_UNAVAILABLE
 */
enum dbk_code dbk_log_checksum(struct dbk_log *log, uint64_t sequence,
                               uint32_t *checksum, struct dbk_error *err);

/* For who follows the log from a record on: whether that record, whose checksum was this, is
 * still there, and the log still the file that was opened. Sequence 0 asks for the file.
 *
 * DBK_MOVED  the log was replaced, or put back to an earlier state; err says which
 * DBK_IO, DBK_UNAVAILABLE
 */
enum dbk_code dbk_log_check_history(struct dbk_log *log, uint64_t sequence,
                                    uint32_t checksum, struct dbk_error *err);

/* What is done on a walk over records. A code but DBK_OK of any of them ends it. */
struct dbk_log_visitor {
    /* Each record, in order; its slices are valid until it returns. */
    enum dbk_code (*record)(void *context, const struct dbk_record *record,
                            struct dbk_error *err);
    /* Where a record is damaged, or newer than this program; err says which and why. NULL: that
     * ends it, as does all that is not the record's fault. */
    enum dbk_code (*unreadable)(void *context, struct dbk_error *err);
    /* Before each batch of some thousand, `at` being the last sequence behind: to tell
     * how far it is, and whether to stop. May be NULL. */
    enum dbk_code (*before)(void *context, uint64_t at, struct dbk_error *err);
    void *context;
};

/* Walk over the records after `after`, up to and with `to`, which must be in the log. No
 * read transaction is open while the visitor is called.
 *
 * DBK_DAMAGED  the log ends before `to`
 * and as the visitor, dbk_log_read and dbk_batch_record
 */
enum dbk_code dbk_log_each(struct dbk_log *log, uint64_t after, uint64_t to,
                           const struct dbk_log_visitor *visitor,
                           struct dbk_error *err);

/* Copy the record of the event with this id, which was not deleted, nor its person, and
 * decode it; event's slices point into the batch. Where it has an anonymous_id, person_id
 * is whose that is now, not what the record says: the nil UUID where nobody's.
 *
 * DBK_NOT_FOUND    there is none
 * DBK_DAMAGED      it is not where the index says, or is another
 * DBK_UNSUPPORTED  as dbk_batch_record
 * DBK_IO, DBK_UNAVAILABLE, DBK_NO_MEMORY
 */
enum dbk_code dbk_log_read_event(struct dbk_log *log, const struct dbk_uuid *id,
                                 struct dbk_batch *batch, struct dbk_record *event,
                                 struct dbk_error *err);

/* Wait until the head is past `after`, at most timeout_ms; *head receives it either way.
 * Wakes at once for what this process appended, within 50 ms for another's, and early
 * after dbk_log_interrupt. */
enum dbk_code dbk_log_wait(struct dbk_log *log, uint64_t after, int timeout_ms,
                           uint64_t *head, struct dbk_error *err);

/* Wake every dbk_log_wait that is under way. */
void dbk_log_interrupt(struct dbk_log *log);

/* The state of a person, deleted ones included. DBK_NOT_FOUND, DBK_IO. */
enum dbk_code dbk_log_person(struct dbk_log *log, const struct dbk_uuid *id,
                             struct dbk_person_state *out, struct dbk_error *err);

/* Whose it is among the living. DBK_NOT_FOUND: nobody's, or no person could have it. DBK_IO,
 * DBK_UNAVAILABLE, DBK_DAMAGED. */
enum dbk_code dbk_log_whose(struct dbk_log *log, enum dbk_identity identity,
                            struct dbk_slice text, struct dbk_uuid *person,
                            struct dbk_error *err);

/* Whether the person is restricted: of whom data is kept, but not to be shown. *since: the
 * sequence of the person.restricted, 0 where not, or where there is no such person; one who
 * was deleted meanwhile still is. DBK_IO, DBK_UNAVAILABLE, DBK_DAMAGED. */
enum dbk_code dbk_log_restricted(struct dbk_log *log, const struct dbk_uuid *person,
                                 uint64_t *since, struct dbk_error *err);

/* All who are, at one moment. Zero it before first use; dbk_restricted_finish frees it. */
struct dbk_restricted {
    size_t count;
    struct dbk_uuid *list; /* owned by it; in ascending order of their bytes */
};

/* What out held before is freed. As dbk_log_restricted; DBK_NO_MEMORY. */
enum dbk_code dbk_log_restricted_all(struct dbk_log *log, struct dbk_restricted *out,
                                     struct dbk_error *err);
void dbk_restricted_finish(struct dbk_restricted *restricted);
/* Thread-safe. */
bool dbk_restricted_has(const struct dbk_restricted *restricted,
                        const struct dbk_uuid *person);
/* Whether a record of the log says something of one of them: of an anonymous event whose it is
 * now. Where the log does not tell that, for it went with a person who was deleted, or for a
 * fault, it may have been one of them. One that was erased says nothing, of nobody. */
bool dbk_restricted_says(const struct dbk_restricted *restricted, struct dbk_log *log,
                         const struct dbk_record *record);

/* The anonymous ids of a person, in the order of their person.aliased. Zero it before first
 * use; dbk_aliases_finish frees it. */
struct dbk_aliases {
    size_t count;
    struct dbk_alias {
        struct dbk_slice anonymous_id; /* points into bytes */
        uint64_t sequence;             /* of the person.aliased */
        uint64_t
            key; /* of a sealed log: the number of the key of its events; 0: none */
    } * list;    /* owned by it */
    char *bytes; /* private */
};

/* All of them, at most DBK_ALIASES_MAX; none for who is no person, or deleted. What out held
 * before is freed. DBK_IO, DBK_UNAVAILABLE, DBK_DAMAGED, DBK_NO_MEMORY. */
enum dbk_code dbk_log_aliases(struct dbk_log *log, const struct dbk_uuid *person,
                              struct dbk_aliases *out, struct dbk_error *err);
void dbk_aliases_finish(struct dbk_aliases *aliases); /* zeroed is fine */

/* The properties of a person whose state is this: *out, which points into the batch, has
 * length 0 where there are none. As dbk_log_record; DBK_DAMAGED also where the record is not
 * one that gave the person properties. */
enum dbk_code dbk_log_person_properties(struct dbk_log *log,
                                        const struct dbk_person_state *person,
                                        struct dbk_batch *batch, struct dbk_slice *out,
                                        struct dbk_error *err);

/* Where an event is. */
struct dbk_event_state {
    uint64_t sequence;         /* of its event.recorded */
    uint64_t deleted_sequence; /* of its event.deleted; 0 while it lives */
    /* Of an event with an anonymous_id: whose that is now; the nil UUID where nobody's. */
    struct dbk_uuid person_id;
};
/* DBK_NOT_FOUND, DBK_IO, DBK_DAMAGED. An event of a deleted person is found: ask for the
 * person; one with an anonymous_id that went with a person is not. */
enum dbk_code dbk_log_event(struct dbk_log *log, const struct dbk_uuid *id,
                            struct dbk_event_state *out, struct dbk_error *err);

/* The record that recorded the event, whatever has become of it since: *event, whose slices
 * point into the batch, is as it was appended. DBK_NOT_FOUND: there was none; and as
 * dbk_log_record. */
enum dbk_code dbk_log_event_recorded(struct dbk_log *log, const struct dbk_uuid *id,
                                     struct dbk_batch *batch, struct dbk_record *event,
                                     struct dbk_error *err);

/* What a log is at, for who watches it. Waits for nobody, as dbk_log_health. */
struct dbk_log_gauges {
    uint64_t queued; /* commands that wait for the writer */
    bool room_known;
    uint64_t free_bytes; /* on its file system, for this user, as of a second ago */
    bool readable;       /* false: `why` says it, and what follows is 0 */
    struct dbk_error why;
    uint64_t head;
    uint64_t file_bytes; /* of data.mdb */
    unsigned readers;    /* read transactions that are open, in any process */
};
void dbk_log_gauges(struct dbk_log *log, struct dbk_log_gauges *out);

struct dbk_log_stats {
    struct dbk_uuid store_id; /* made with the log; names it for ever */
    uint64_t head;
    uint64_t persons;    /* ids ever used */
    uint64_t events;     /* ids ever used */
    uint64_t file_bytes; /* of data.mdb */
    uint64_t free_bytes; /* on its file system, for this user */
};
enum dbk_code dbk_log_stats(struct dbk_log *log, struct dbk_log_stats *out,
                            struct dbk_error *err);

/* The directory that it was opened in, as it was given then. Borrowed. */
const char *dbk_log_dir(const struct dbk_log *log);

/* The id that names this log. */
struct dbk_uuid dbk_log_store_id(const struct dbk_log *log);

#endif
