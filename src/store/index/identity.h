/* identity.h - by what a person is known besides the id and the e-mail.
 *
 * Private to the store. Made again from the log, like all indexes. Numbers are
 * little-endian; a key is the SHA-256 of the text, for LMDB's keys are short.
 *
 *   external      external id -> person id
 *   alias         anonymous id -> person id (nil: nobody's), gone u64, sequence u64 of the
 *                 person.aliased (0: nobody's), the text (none: nobody's)
 *   person_alias  person id, key of the anonymous id -> nothing
 *
 * In a sealed log a key is a tag of that hash (sealed.h), and
 *
 *   alias         also, before the text, the number of the key of the anonymous id's events,
 *                 u64 (0: none yet); the text is sealed with the person's key
 *   person_alias  of a deleted person that stays: the number of the key that those events had,
 *                 u64, for whoever erases the person; under nobody's id: lost.h
 *
 * where an anonymous id whose person is deleted gets another key: its events of before are
 * known by that, and `gone` is 0.
 *
 * An event with an anonymous_id belongs to whose that is now. But those up to `gone` went
 * with a person who was deleted, and are nobody's ever again. An entry of alias that says
 * neither is removed.
 */
#ifndef DBK_STORE_IDENTITY_H
#define DBK_STORE_IDENTITY_H

#include "environment.h"
#include "store/log.h"

struct identity_key {
    uint8_t bytes[32];
};

/* False: no memory. Thread-safe. */
bool identity_key_of(struct dbk_slice text, struct identity_key *out);

/* What is known of an anonymous id. */
struct identity_alias {
    struct dbk_uuid person; /* nil: nobody's */
    uint64_t gone, sequence;
    uint64_t number; /* of a sealed log: of the key of its events; 0: none yet */
    struct dbk_slice
        text; /* in the map, as long as nothing is written; sealed, maybe */
};

/* Each returns 0, MDB_NOTFOUND, LMDB_INDEX_DAMAGED (not of the shape above) or another LMDB
 * code. */
int identity_get_external(MDB_txn *txn, const struct environment *environment,
                          const struct identity_key *key, struct dbk_uuid *out);
int identity_put_external(MDB_txn *txn, const struct environment *environment,
                          const struct identity_key *key,
                          const struct dbk_uuid *person);
int identity_drop_external(MDB_txn *txn, const struct environment *environment,
                           const struct identity_key *key);

/* Nothing is known: nobody's, nothing gone, and no MDB_NOTFOUND. */
int identity_get_alias(MDB_txn *txn, const struct environment *environment,
                       const struct identity_key *key, struct identity_alias *out);

/* The same by what the databases have for the key, which identity_next gives. */
int identity_get_alias_at(MDB_txn *txn, const struct environment *environment,
                          const struct identity_key *place, struct identity_alias *out);

/* The text of an alias whose person is this one, to out (DBK_ANONYMOUS_ID_MAX); *length
 * receives how long it is. */
int identity_alias_text(MDB_txn *txn, const struct environment *environment,
                        const struct identity_key *place,
                        const struct identity_alias *alias, char *out, size_t *length);

/* In a sealed log: from now on the events of the anonymous id have this key. */
int identity_give(MDB_txn *txn, const struct environment *environment,
                  const struct identity_key *key, uint64_t number);

/* The numbers of the keys of the anonymous ids that are the person's, or were when the person
 * was deleted: at most max of them. */
int identity_numbers(MDB_txn *txn, const struct environment *environment,
                     const struct dbk_uuid *person, uint64_t *numbers, size_t max,
                     size_t *count);

/* Nothing is known any more of anonymous ids that were the person's. */
int identity_forget(MDB_txn *txn, const struct environment *environment,
                    const struct dbk_uuid *person);
/* The same of who was erased a while ago: of those whose key is there, for they had left the
 * person before, the key is known on. */
int identity_forget_late(MDB_txn *txn, const struct environment *environment,
                         const struct dbk_uuid *person);

/* An anonymous id becomes the person's, by the record at that sequence; it was nobody's. */
int identity_claim(MDB_txn *txn, const struct environment *environment,
                   const struct identity_key *key, struct dbk_slice text,
                   const struct dbk_uuid *person, uint64_t sequence);

/* It becomes nobody's again; it was the person's. */
int identity_release(MDB_txn *txn, const struct environment *environment,
                     const struct identity_key *key, const struct dbk_uuid *person);

/* All of the person's become nobody's, and what was recorded of them up to that sequence is
 * gone: the person was deleted. */
int identity_end(MDB_txn *txn, const struct environment *environment,
                 const struct dbk_uuid *person, uint64_t gone);

/* The person's first anonymous id behind *key, by its place in the databases, through a cursor
 * of person_alias; *key receives it. All zeroes are before the first. */
int identity_next(MDB_cursor *cursor, const struct dbk_uuid *person,
                  struct identity_key *key);

/* Whose an event is now, which the index says is where `event` is: *owner is nil for one
 * that is nobody's; *record receives its record where that had to be asked, else zeroes, and
 * of a sealed log's only how long its anonymous_id is. MDB_NOTFOUND: it went with a person. */
int identity_of_event(MDB_txn *txn, const struct environment *environment,
                      const struct dbk_event_state *event, struct dbk_uuid *owner,
                      struct dbk_record *record);

/* The same of an event.recorded, opened or erased, wherever it was read. */
int identity_of_record(MDB_txn *txn, const struct environment *environment,
                       const struct dbk_record *record, struct dbk_uuid *owner);

#endif
