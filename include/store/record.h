/* record.h - one record of the log: what it says, and its bytes.
 *
 * On disk a record is a msgpack array of seven:
 *
 *     [format, type, sequence, recorded_at_us, subject_id, data, meta]
 *
 *   format         positive fixint: 1, or 2 to 7 where no older one can say it (see below)
 *   type           str: "person.created", ...
 *   sequence       uint 64, always nine bytes, so that the writer can fill it in
 *   recorded_at_us int 64, always nine bytes; microseconds since 1970 UTC
 *   subject_id     bin 8 of 16 bytes: the person, event or log the record is about
 *   data           map of str to value, in the order of the bits DBK_HAS_... below
 *   meta           map of str to str: request_id, actor, source, clock_offset,
 *                  traceparent; only those there are
 *
 * Format 2 has what format 1 has not: the types from person.aliased on; external_id and
 * properties of a person, persons of whom some field is missing, and fields removed; events
 * with an anonymous_id, an event.deleted of what was nobody's, event types over 64 bytes;
 * clock_offset. Format 3 has traceparent besides. Whatever an older format can say is
 * written in that, byte for byte as programs did that knew no newer one, and they can read
 * it.
 *
 * Format 4 is for what can be erased: what a record says of a person is sealed with a key of
 * the person's (store/keys.h), and is gone with the key. It is made of a record of the others
 * by dbk_record_seal. Its data is then
 *
 *   person_id      of an event.recorded, as before
 *   key            uint: the number of the key
 *   sealed         bin: 24 bytes of nonce, ciphertext, 16 bytes of tag (XChaCha20-Poly1305)
 *
 * and what is in the ciphertext is the map that data was, without person_id; of a person's
 * record with one entry more, the key "" and bytes of zero, so many (0 to 31) that all of it
 * is a multiple of 32 bytes, for the length of an email is a hint. It is bound to "DBK2", the
 * number of the type (a byte), subject_id and person_id, of a person's record subject_id
 * twice. person.erased is of format 4, too; records that say nothing but who and when are
 * not: they are as ever.
 *
 * Format 5 has person.restricted and person.unrestricted, and nothing else: they say nothing
 * but who and when, but a program that does not know them would show the person.
 *
 * Format 6 has log.resealed, and nothing else: that the records before it were those of
 * another log, which was not sealed, or with other keys. A program that does not know it
 * refuses the log.
 *
 * Format 7 is for what can be forgotten by age. It has events.expired, and each event.recorded
 * whose key is mixed of two: its data then is that of format 4, and behind it
 *
 *   month          uint: the number of the key of the month in which it was recorded
 *
 * Both keys are needed to open it: it is sealed with their dbk_record_mix. Destroying a month's
 * key makes all unreadable that names it, of whomever it is. events.expired says that this was
 * done, and is in the clear.
 *
 * The bytes of a record never change once written. Format: https://msgpack.org (spec of
 * 2017, bin and str types).
 */
#ifndef DBK_STORE_RECORD_H
#define DBK_STORE_RECORD_H

#include "store/error.h"
#include "store/slice.h"
#include "store/timestamp.h"
#include "store/uuid.h"

#define DBK_RECORD_FORMAT 7 /* the newest that there is */

/* The longest fields that a record may carry, in bytes. What is in them is the caller's
 * part: event_type, external_id and anonymous_id are UTF-8 without control characters (C0,
 * DEL, C1), and not empty. */
#define DBK_EMAIL_MAX 254
#define DBK_NAME_MAX 400         /* 100 characters of UTF-8 */
#define DBK_EVENT_TYPE_MAX 800   /* 200 characters of UTF-8 */
#define DBK_EXTERNAL_ID_MAX 800  /* 200 characters */
#define DBK_ANONYMOUS_ID_MAX 512 /* 128 characters */
#define DBK_PROPERTIES_MAX 65536
#define DBK_META_MAX 128
#define DBK_KEYS_MAX 8008 /* a person's, and those of 1,000 aliases */
#define DBK_ROOT_BYTES 32
#define DBK_CHECKPOINT_MAX 16384
#define DBK_RECORD_MAX 70000 /* with all at its longest it fits, sealed, too */

/* What a record is about; its id is the subject_id, that of a log its store id. */
enum dbk_subject { DBK_SUBJECT_PERSON = 1, DBK_SUBJECT_EVENT, DBK_SUBJECT_LOG };

enum dbk_role { DBK_ROLE_USER = 1, DBK_ROLE_ADMIN };

/* The fields of data, in the order in which it has them. */
enum {
    DBK_HAS_EMAIL = 1,
    DBK_HAS_FIRST_NAME = 2,
    DBK_HAS_LAST_NAME = 4,
    DBK_HAS_ROLE = 8,
    DBK_HAS_ALL = 15, /* the four that every person had once */
    DBK_HAS_PERSON_ID = 16,
    DBK_HAS_EVENT_TYPE = 32,
    DBK_HAS_EVENT = 48, /* whose, and what */
    DBK_HAS_PROPERTIES = 64,
    DBK_HAS_DATETIME_CREATED = 128,
    DBK_HAS_EXTERNAL_ID = 256,
    DBK_HAS_ANONYMOUS_ID = 512,
    DBK_HAS_KEYS = 1024,
    DBK_HAS_KEY = 2048, /* its number; and what it opens */
    DBK_HAS_SEALED = 4096,
    DBK_HAS_SIZE = 8192,
    DBK_HAS_ROOT = 16384,
    DBK_HAS_CHECKPOINT = 32768,
    DBK_HAS_MONTH = 65536, /* the number of another key, mixed with `key` */
    DBK_HAS_THROUGH = 131072,
    DBK_HAS_BEFORE = 262144,
    DBK_HAS_PERSON = 335, /* all that a person may have: also external_id, properties */
    DBK_HAS_OPTIONAL = 327, /* of these what there may be none of: all but role */
};

/* Every type of record: its number (not that of any disk), its constant, its name, what
 * it is about, which fields its data must have, and which it may have besides. The enum,
 * the names, encoding and decoding come from this list. */
#define DBK_TYPES(TYPE)                                                                \
    TYPE(1, DBK_PERSON_CREATED, "person.created", DBK_SUBJECT_PERSON, DBK_HAS_ROLE,    \
         DBK_HAS_OPTIONAL | DBK_HAS_DATETIME_CREATED)                                  \
    TYPE(2, DBK_PERSON_UPDATED, "person.updated", DBK_SUBJECT_PERSON, 0,               \
         DBK_HAS_PERSON)                                                               \
    TYPE(3, DBK_PERSON_DELETED, "person.deleted", DBK_SUBJECT_PERSON, 0, 0)            \
    TYPE(4, DBK_EVENT_RECORDED, "event.recorded", DBK_SUBJECT_EVENT, DBK_HAS_EVENT,    \
         DBK_HAS_PROPERTIES | DBK_HAS_DATETIME_CREATED | DBK_HAS_ANONYMOUS_ID)         \
    TYPE(5, DBK_EVENT_DELETED, "event.deleted", DBK_SUBJECT_EVENT, DBK_HAS_PERSON_ID,  \
         0)                                                                            \
    TYPE(6, DBK_PERSON_ALIASED, "person.aliased", DBK_SUBJECT_PERSON,                  \
         DBK_HAS_ANONYMOUS_ID, 0)                                                      \
    TYPE(7, DBK_PERSON_UNALIASED, "person.unaliased", DBK_SUBJECT_PERSON,              \
         DBK_HAS_ANONYMOUS_ID, 0)                                                      \
    TYPE(8, DBK_PERSON_ERASED, "person.erased", DBK_SUBJECT_PERSON, DBK_HAS_KEYS, 0)   \
    TYPE(9, DBK_PERSON_RESTRICTED, "person.restricted", DBK_SUBJECT_PERSON, 0, 0)      \
    TYPE(10, DBK_PERSON_UNRESTRICTED, "person.unrestricted", DBK_SUBJECT_PERSON, 0, 0) \
    TYPE(11, DBK_LOG_RESEALED, "log.resealed", DBK_SUBJECT_LOG,                        \
         DBK_HAS_SIZE | DBK_HAS_ROOT, DBK_HAS_CHECKPOINT)                              \
    TYPE(12, DBK_EVENTS_EXPIRED, "events.expired", DBK_SUBJECT_LOG,                    \
         DBK_HAS_KEYS | DBK_HAS_THROUGH | DBK_HAS_BEFORE, 0)

#define DBK_TYPE_CONSTANT(number, type, ...) type = number,
#define DBK_TYPE_ONE(...) +1 /* NOLINT(bugprone-macro-parentheses): behind another */

enum dbk_type { DBK_TYPES(DBK_TYPE_CONSTANT) };

/* One more than the last of them: what a loop from 1 stops at. */
#define DBK_TYPE_COUNT (1 DBK_TYPES(DBK_TYPE_ONE))

/* data: email, first_name, last_name, role (str "user" or "admin"), properties (str: the
 * JSON text of an object), external_id.
 *
 * In a person.created a text that is empty is not there, whatever `has` says. In a
 * person.updated it is one that was removed (msgpack nil); its properties are all that the
 * person has from then on, never a patch. */
struct dbk_person_fields {
    unsigned has; /* DBK_HAS_..., of DBK_HAS_PERSON */
    struct dbk_slice email;
    struct dbk_slice first_name;
    struct dbk_slice last_name;
    enum dbk_role role;
    struct dbk_slice external_id;
    struct dbk_slice properties;
};

/* A record decoded, or a draft of one. Slices are borrowed from the bytes it was decoded
 * from, or from whoever drafted it. */
struct dbk_record {
    /* Decoding gives it, and encoding chooses it; but what was decoded from format 1 is
     * encoded as that again. */
    unsigned format;
    enum dbk_type type;
    uint64_t sequence;         /* decode only: the writer gives it */
    dbk_timestamp recorded_at; /* decode only: the writer gives it */
    struct dbk_uuid subject;

    /* person.created: those there are, always role; person.updated: those that changed */
    struct dbk_person_fields person;

    /* event.recorded and event.deleted: whose event. data: person_id (bin 16). Of an event
     * with an anonymous_id: whose that was when the record was appended, the nil UUID where
     * nobody's; dbk_log_event tells whose it is now. */
    struct dbk_uuid person_id;

    /* person.aliased and person.unaliased: what is tied to the person, or no more. In an
     * event.recorded: by whom it was done, who was not known then; length 0: a person. */
    struct dbk_slice anonymous_id;

    /* event.recorded. data: person_id, event_type (str), and properties (str: the JSON
     * text of an object, the client's own bytes) where there are some: length 0 is none */
    struct dbk_slice event_type;
    struct dbk_slice properties;

    /* person.created and event.recorded: when it happened, where the client said so
     * (data: datetime_created, int, microseconds). Decoding gives recorded_at where not. */
    bool has_datetime_created;
    dbk_timestamp datetime_created;

    /* person.erased: which keys are destroyed, the person's and those of the anonymous ids
     * that are the person's: 8 bytes each, big-endian. events.expired: those of months. */
    struct dbk_slice keys;

    /* log.resealed: the log that this one was made of by `daybook reseal`, whose store id is
     * the subject. data: size (uint, from 1 on), how many records it had; root (bin 32), that
     * of their tree (store/proof/tree.h); and checkpoint (str), the newest one that was signed
     * of it, as it is kept, where there was one. It may be of fewer records. */
    uint64_t size;
    struct dbk_slice root;
    struct dbk_slice checkpoint;

    /* events.expired: all events with a sequence up to and with this one are expired: they are
     * shown nowhere any more, and what those of format 7 said nobody can read. data: through
     * (uint, from 1 on); and before (int, microseconds), the beginning of a month, UTC: they
     * were recorded before it. The subject is the log's store id. */
    uint64_t through;
    dbk_timestamp before;

    /* Decoding gives these, of what is sealed; else 0. Until dbk_record_open has opened it
     * what is in it is not here: fields are empty, and person.has says none. */
    uint64_t key;            /* its number, from 1 on */
    uint64_t month;          /* that of the key which is mixed with it; 0: none is */
    struct dbk_slice sealed; /* as on disk */
    bool opened;
    bool erased;  /* its key is known to be destroyed: it says nothing more */
    bool expired; /* ... and it is the month's */
    /* The number of its key that is damaged, or does not open it; 0: none. Until that is put
     * back it says nothing more. */
    uint64_t damaged;

    /* Nothing here sets it: its person is restricted, and who asks is not to be told more than
     * who and when. */
    bool withheld;

    /* meta; length 0 is absent */
    struct dbk_slice request_id;
    struct dbk_slice actor;
    struct dbk_slice source;
    /* What was added to the client's datetime_created: decimal microseconds, "-1500000" */
    struct dbk_slice clock_offset;
    /* Of which trace the request was, and of which of its spans: the client's header
     * (https://www.w3.org/TR/trace-context/), "00-<trace id>-<span id>-<flags>" */
    struct dbk_slice traceparent;
};

/* "person.created" for DBK_PERSON_CREATED and so on; "" for what is no type. Static. */
const char *dbk_type_name(enum dbk_type type);
/* False for any other text. */
bool dbk_type_parse(const char *text, size_t length, enum dbk_type *out);
/* What records of a type are about. */
enum dbk_subject dbk_type_subject(enum dbk_type type);
/* The person that the record is about: the subject of a person's record, whose event an
 * event's is, the nil UUID where it says nobody's, and of what is about a log. Borrowed from record. */
const struct dbk_uuid *dbk_record_person(const struct dbk_record *record);
/* "user" or "admin". Static. */
const char *dbk_role_name(enum dbk_role role);
/* False for any other text. */
bool dbk_role_parse(const char *text, size_t length, enum dbk_role *out);

/* Write the record's bytes, in the oldest format that can say it, to out, which has size
 * bytes (DBK_RECORD_MAX is enough); *length receives how many. One that is sealed, and was
 * not opened, is written as it was. Thread-safe.
 *
 * DBK_TOO_LARGE  a field is over its bound, or out is too small
 * DBK_INVALID    datetime_created cannot be written as text; or the type must have an
 *                anonymous_id, keys, a size or a root, and has none; or sealed is too short
 */
enum dbk_code dbk_record_encode(const struct dbk_record *record, char *out, size_t size,
                                size_t *length, struct dbk_error *err);

/* Read a record of any format ever written. out's slices point into bytes. Allocates
 * nothing and reads nothing past length, whatever the bytes are. Thread-safe.
 *
 * DBK_DAMAGED      the bytes are not a record; err says what is wrong at which offset
 * DBK_UNSUPPORTED  a format newer than DBK_RECORD_FORMAT
 */
enum dbk_code dbk_record_decode(const char *bytes, size_t length,
                                struct dbk_record *out, struct dbk_error *err);

/* Whether a record of the type says what can be sealed. */
bool dbk_type_is_sealed(enum dbk_type type);

/* Make of an encoded record, whose type is one of these, and which is not sealed yet, the same
 * in format 4, in out, which has size bytes; *sealed_length receives how many it took. number
 * is that of the key, and not 0. Sequence and time are those of bytes, and may be filled in
 * afterwards; its subject and person may not. Thread-safe.
 *
 * DBK_TOO_LARGE  out is too small
 */
enum dbk_code dbk_record_seal(const char *bytes, size_t length, uint64_t number,
                              const uint8_t key[32], char *out, size_t size,
                              size_t *sealed_length, struct dbk_error *err);

/* The same of an event.recorded, in format 7: month is the number of the month's key, and not
 * 0, and key is the dbk_record_mix of both. */
enum dbk_code dbk_record_seal_in_month(const char *bytes, size_t length,
                                       uint64_t number, uint64_t month,
                                       const uint8_t key[32], char *out, size_t size,
                                       size_t *sealed_length, struct dbk_error *err);

/* The key of an event of format 7: BLAKE2b-256 of the person's key (that of the number `key`)
 * and the month's behind it, personal "daybook month". Wipe it after use. Thread-safe. */
void dbk_record_mix(const uint8_t key[32], const uint8_t month[32], uint8_t mixed[32]);

/* Fill in what is sealed in a record as it was decoded: its slices point into room, which has
 * as many bytes as `sealed`. key is that of its number, in format 7 the dbk_record_mix. Checked
 * as strictly as decoding does. Thread-safe.
 *
 * DBK_DAMAGED  it was not sealed with this key, or what is in it is no such record; the
 *              record is left as it was
 */
enum dbk_code dbk_record_open(struct dbk_record *record, const uint8_t key[32],
                              char *room, struct dbk_error *err);

/* The format in which the record would be encoded. */
unsigned dbk_record_format(const struct dbk_record *record);

/* Fill in the sequence and time of an encoded record. */
void dbk_record_stamp(char *bytes, uint64_t sequence, dbk_timestamp recorded_at);

#endif
