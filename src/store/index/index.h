/* index.h - the values of the derived databases, and how to find them.
 *
 * Private to the store. All of them can be made again from the log. Numbers are
 * little-endian.
 *
 *   person  id -> version u64, datetime_created i64, datetime_modified i64, marks u8 (1:
 *           deleted, 2: longer), role u8, lengths of email, first_name, last_name u16 each,
 *           their bytes; where it is longer, for it has some of these: length of
 *           external_id u16, properties_sequence u64, aliases u32, the bytes of external_id
 *   email   lower-cased email -> person id
 *
 * and in a sealed log (sealed.h)
 *
 *   person  id -> version u64, marks u8 (1, and 4: erased, which is all there is then), number
 *           of the key u64, and what is above, sealed with it
 *   email   tag of the lower-cased email -> person id
 *
 * and in both
 *
 *   event   id -> sequence u64, deleted_sequence u64, person id (nil: it has an
 *           anonymous_id; identity.h tells whose it is)
 */
#ifndef DBK_STORE_INDEX_H
#define DBK_STORE_INDEX_H

#include "environment.h"
#include "store/command.h"
#include "store/log.h"

/* Each returns 0, MDB_NOTFOUND, LMDB_INDEX_DAMAGED (not of the shape above) or another LMDB
 * code; what opens or seals something also as sealed_key. Everything is copied. Whose key the ring has destroyed is erased, whatever the index
 * says. */
int index_get_person(MDB_txn *txn, const struct environment *environment,
                     const struct dbk_uuid *id, struct dbk_person_state *out);
/* The same without what a sealed log has sealed: version, deleted, erased and key are told, and
 * the rest of a log that is not sealed. */
int index_look_person(MDB_txn *txn, const struct environment *environment,
                      const struct dbk_uuid *id, struct dbk_person_state *out);
int index_get_event(MDB_txn *txn, const struct environment *environment,
                    const struct dbk_uuid *id, struct dbk_event_state *out);
int index_get_email(MDB_txn *txn, const struct environment *environment,
                    struct dbk_slice email, struct dbk_uuid *out);

int index_put_person(MDB_txn *txn, const struct environment *environment,
                     const struct dbk_person_state *state);
int index_put_event(MDB_txn *txn, const struct environment *environment,
                    const struct dbk_uuid *id, const struct dbk_event_state *state);
/* The same for events through a cursor of their database, which is the quicker the closer
 * it stands to where the last one went; and for one whose id may be there already:
 * MDB_KEYEXIST, and *known receives it. */
int index_put_event_at(MDB_cursor *cursor, const struct dbk_uuid *id,
                       const struct dbk_event_state *state);
int index_add_event(MDB_cursor *cursor, const struct dbk_uuid *id,
                    const struct dbk_event_state *state, struct dbk_event_state *known);
int index_put_email(MDB_txn *txn, const struct environment *environment,
                    struct dbk_slice email, const struct dbk_uuid *person_id);
int index_drop_email(MDB_txn *txn, const struct environment *environment,
                     struct dbk_slice email);

/* Decode a record of the log: its slices point into the map, as long as nothing is written;
 * or, where it is sealed, into room (DBK_RECORD_MAX). LMDB_RECORD_DAMAGED, and as
 * sealed_key; but where its key was erased out->erased says so. room may be NULL where the log
 * is not sealed. */
int index_get_record(MDB_txn *txn, const struct environment *environment,
                     uint64_t sequence, char *room, struct dbk_record *out);

/* Compare two ids (struct dbk_uuid), for qsort and bsearch: in the databases' order. */
int index_by_id(const void *left, const void *right);

/* The last sequence; 0 for an empty log. */
int index_head(MDB_txn *txn, const struct environment *environment, uint64_t *head);

#endif
