/* Under which ids a record is found.
 *
 * Whose it is a sealed one says in the clear; not whether its key is a person's or an anonymous
 * id's. That is so of a key for ever, so one record of it is opened, and no other. One that does
 * not open, for whatever reason, is found by both: who finds it looks at it. */
#include "about.h"

#include "history_private.h"
#include "log_keys.h"
#include "log_state.h"
#include "sealed.h"
#include "store/record.h"

#include <stdlib.h>
#include <string.h>

/* Of so many keys it is remembered whose they are, by the number's lowest bits. */
enum { KINDS = 32768 };

void about_finish(struct about *about)
{
    free(about->kinds);
    free(about->room);
    *about = (struct about){.log = about->log};
}

static void add(struct about_ids *ids, const struct dbk_uuid *id)
{
    ids->list[ids->count++] = *id;
}

static bool make_room(struct about *about, size_t size)
{
    char *grown;

    if (!about->kinds)
        about->kinds = calloc(KINDS, sizeof *about->kinds);
    if (!about->kinds || size <= about->room_size)
        return about->kinds != NULL;
    grown = realloc(about->room, size);
    if (!grown)
        return false;
    about->room = grown;
    about->room_size = size;
    return true;
}

/* Find out whose its key is, where it opens. False: no memory. */
static bool open_record(struct about *about, struct dbk_record *record)
{
    if (!make_room(about, record->sealed.length))
        return false;
    if (sealed_open_record(about->log->options.keys, record, about->room, NULL) ==
            DBK_OK &&
        record->opened) {
        about->kinds[record->key % KINDS] =
            record->key << 1 | (record->anonymous_id.length > 0);
        explicit_bzero(about->room, record->sealed.length);
    }
    return true;
}

/* Of a sealed event that says a person: whether its key may be an anonymous id's. It may be
 * where nobody can tell: the ring is away, the key destroyed, or damaged. */
static bool find_kind(struct about *about, struct dbk_record *record, bool *anonymous)
{
    uint64_t kind = about->kinds ? about->kinds[record->key % KINDS] : 0;
    bool room = true;

    if (kind >> 1 != record->key) {
        room = open_record(about, record);
        kind = about->kinds ? about->kinds[record->key % KINDS] : 0;
    }
    *anonymous = kind >> 1 != record->key || (kind & 1);
    return room;
}

static bool add_alias(struct about *about, struct dbk_record *record,
                      struct about_ids *out)
{
    bool anonymous = true, room = true;
    struct dbk_uuid alias;

    if (record->key > 0) {
        if (!dbk_uuid_is_nil(&record->person_id))
            room = find_kind(about, record, &anonymous);
        history_key_id(record->key, &alias);
    } else if (record->anonymous_id.length > 0) {
        room = log_alias_id(about->log, record->anonymous_id, &alias);
    } else {
        anonymous = false;
    }
    if (room && anonymous)
        add(out, &alias);
    return room;
}

bool about_record(struct about *about, const char *bytes, size_t length,
                  struct about_ids *out)
{
    const struct dbk_uuid *person;
    struct dbk_record record;

    *out = (struct about_ids){.count = 0};
    if (dbk_record_decode(bytes, length, &record, NULL) != DBK_OK) {
        out->count = 1; /* the nil UUID */
        return true;
    }
    person = dbk_record_person(&record);
    if (record.format < 2 || !dbk_uuid_is_nil(person))
        add(out, person);
    return record.type != DBK_EVENT_RECORDED || add_alias(about, &record, out);
}
