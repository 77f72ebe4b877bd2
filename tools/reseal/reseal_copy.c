#include "reseal_copy.h"

#include "reseal_keys.h"
#include "reseal_months.h"
#include "store/log_builder.h"

#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/random.h>

/* One under way. */
struct copy {
    const struct reseal_source *source;
    const struct reseal_how *how;
    struct reseal_numbers numbers;
    struct reseal_keys keys;
    struct reseal_months months;
    struct staged_ring *ring;
    struct dbk_log_builder *builder;
    const struct dbk_watch *watch;
    const char *phase;
    const struct reseal_origin *origin;
    struct resealed *done;
    uint64_t to, last_erasure;
    dbk_timestamp last; /* when the last record was appended */
    char numbers_of[DBK_KEYS_MAX], plain[DBK_RECORD_MAX], sealed[DBK_RECORD_MAX];
};

/* What a record is sealed with; numbers 0: it is not, or with no month's. */
struct with {
    struct reseal_number key, month;
};

static enum dbk_code before(void *context, uint64_t at, struct dbk_error *err)
{
    const struct copy *copy = context;

    return dbk_watch_progress(copy->watch, copy->phase, "records", at, copy->to, err);
}

static enum dbk_code look(void *context, const struct dbk_record *record,
                          struct dbk_error *err)
{
    struct copy *copy = context;
    enum dbk_code code = reseal_keys_look(&copy->keys, record, err);

    if (code == DBK_OK && copy->how->by_month && record->type == DBK_EVENT_RECORDED)
        code = reseal_months_look(&copy->months, &copy->numbers, record, err);
    return code;
}

static enum dbk_code get_random(void *out, size_t length, struct dbk_error *err)
{
    for (size_t done = 0; done < length;) {
        ssize_t got = getrandom((char *)out + done, length - done, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return dbk_fail(err, DBK_IO, "the system gives no random bytes");
        done += (size_t)got;
    }
    return DBK_OK;
}

static enum dbk_code get_own(const struct copy *copy, uint64_t number,
                             uint8_t key[DBK_KEY_BYTES], struct dbk_error *err)
{
    enum dbk_code code = dbk_keys_ahead(copy->ring->keys, number, err);

    return code == DBK_OK ? dbk_keys_get(copy->ring->keys, number, key, err) : code;
}

/* Where one of them is destroyed nobody will ever open it: the key is kept nowhere. */
static enum dbk_code get_key(const struct copy *copy, const struct with *with,
                             uint8_t key[DBK_KEY_BYTES], struct dbk_error *err)
{
    uint8_t own[DBK_KEY_BYTES], month[DBK_KEY_BYTES];
    enum dbk_code code;

    if (with->key.gone || with->month.gone)
        return get_random(key, DBK_KEY_BYTES, err);
    code = get_own(copy, with->key.number, own, err);
    if (code == DBK_OK && with->month.number > 0) {
        code = get_own(copy, with->month.number, month, err);
        if (code == DBK_OK)
            dbk_record_mix(own, month, key);
    } else if (code == DBK_OK) {
        memcpy(key, own, sizeof own);
    }
    explicit_bzero(own, sizeof own);
    explicit_bzero(month, sizeof month);
    return code;
}

static enum dbk_code seal(struct copy *copy, size_t *length, const struct with *with,
                          struct dbk_error *err)
{
    uint8_t key[DBK_KEY_BYTES];
    enum dbk_code code = get_key(copy, with, key, err);

    if (code == DBK_OK && with->month.number > 0)
        code = dbk_record_seal_in_month(copy->plain, *length, with->key.number,
                                        with->month.number, key, copy->sealed,
                                        sizeof copy->sealed, length, err);
    else if (code == DBK_OK)
        code = dbk_record_seal(copy->plain, *length, with->key.number, key,
                               copy->sealed, sizeof copy->sealed, length, err);
    explicit_bzero(key, sizeof key);
    return code;
}

/* In the oldest format that says it: what the first one had empty is not there in another. */
static enum dbk_code add_readable(struct copy *copy, const struct dbk_record *record,
                                  const struct with *with, struct dbk_error *err)
{
    struct dbk_record plain = *record;
    bool is_sealed = with->key.number > 0;
    enum dbk_code code;
    size_t length;

    if (is_sealed) {
        plain.format = 0;
        plain.key = plain.month = 0;
        plain.sealed = (struct dbk_slice){NULL, 0};
        plain.opened = false;
    }
    code = dbk_record_encode(&plain, copy->plain, sizeof copy->plain, &length, err);
    if (code == DBK_OK && is_sealed)
        code = seal(copy, &length, with, err);
    if (code == DBK_OK)
        code = dbk_log_builder_add(copy->builder,
                                   is_sealed ? copy->sealed : copy->plain, length, err);
    return code;
}

/* What it said nobody can read. */
static enum dbk_code add_shut(struct copy *copy, const struct dbk_record *record,
                              const struct with *with, struct dbk_error *err)
{
    struct dbk_record shut = *record;
    enum dbk_code code;
    size_t length;

    if (!with->key.gone && !with->month.gone)
        return dbk_fail(err, DBK_CONFLICT,
                        "what record %" PRIu64 " says was erased meanwhile: stop what "
                        "writes to the log, and run the same again",
                        record->sequence);
    shut.key = with->key.number;
    shut.month = with->month.number;
    shut.sealed.data = copy->plain;
    code = get_random(copy->plain, shut.sealed.length, err);
    if (code == DBK_OK)
        code =
            dbk_record_encode(&shut, copy->sealed, sizeof copy->sealed, &length, err);
    if (code == DBK_OK)
        code = dbk_log_builder_add(copy->builder, copy->sealed, length, err);
    if (record->expired && record->month == 0)
        copy->done->forgotten++; /* its key was there till now */
    else
        copy->done->unread++;
    return code;
}

/* The keys that a record says are destroyed, as they are called now. */
static enum dbk_code name_destroyed(struct copy *copy, struct dbk_record *record,
                                    struct dbk_error *err)
{
    struct reseal_number becomes;
    enum dbk_code code = DBK_OK;
    uint64_t number;

    for (size_t at = 0; code == DBK_OK && at + sizeof number <= record->keys.length;
         at += sizeof number) {
        memcpy(&number, record->keys.data + at, sizeof number);
        code = reseal_numbers_become(&copy->numbers, be64toh(number), &becomes, err);
        if (code != DBK_OK)
            return code;
        number = htobe64(becomes.number);
        memcpy(copy->numbers_of + at, &number, sizeof number);
    }
    record->keys.data = copy->numbers_of;
    copy->last_erasure = record->sequence;
    return code;
}

static enum dbk_code add(void *context, const struct dbk_record *given,
                         struct dbk_error *err)
{
    struct dbk_record record = *given;
    struct copy *copy = context;
    struct with with = {.month = {0}};
    enum dbk_code code = reseal_keys_of(&copy->keys, given, &with.key, err);

    copy->last = record.recorded_at;
    if (code == DBK_OK && copy->how->by_month && record.type == DBK_EVENT_RECORDED)
        code = reseal_months_of(&copy->months, &copy->numbers, given, &with.month, err);
    if (code == DBK_OK && record.keys.length > 0)
        code = name_destroyed(copy, &record, err);
    if (code != DBK_OK)
        return code;
    return record.erased ? add_shut(copy, &record, &with, err)
                         : add_readable(copy, &record, &with, err);
}

/* Never before the record that it follows, whatever the clock says. */
static enum dbk_code add_origin(struct copy *copy, struct dbk_error *err)
{
    const dbk_timestamp now = dbk_timestamp_now();
    const struct dbk_record record =
        reseal_origin_record(copy->origin, now > copy->last ? now : copy->last);
    size_t length;
    enum dbk_code code =
        dbk_record_encode(&record, copy->plain, sizeof copy->plain, &length, err);

    return code == DBK_OK ? dbk_log_builder_add(copy->builder, copy->plain, length, err)
                          : code;
}

static enum dbk_code walk(struct copy *copy, const char *phase,
                          enum dbk_code record(void *, const struct dbk_record *,
                                               struct dbk_error *),
                          struct dbk_error *err)
{
    const struct dbk_log_visitor visitor = {
        .record = record, .before = before, .context = copy};

    copy->phase = phase;
    reseal_months_begin(&copy->months, copy->source->expired);
    return copy->to > 0 ? dbk_log_each(copy->source->log, 0, copy->to, &visitor, err)
                        : DBK_OK;
}

/* What is to be destroyed is, before anything is sealed. */
static enum dbk_code prepare(struct copy *copy, const char *dir, struct dbk_error *err)
{
    enum dbk_code code = walk(copy, "looking for who is deleted", look, err);

    if (code == DBK_OK)
        code = reseal_keys_looked(&copy->keys, err);
    if (code == DBK_OK)
        code = staged_ring_open(copy->ring, err);
    if (code == DBK_OK)
        code = staged_ring_forget(copy->ring, copy->numbers.gone, err);
    if (code == DBK_OK)
        code = dbk_log_builder_open_sealed(dir, copy->ring->keys, &copy->builder, err);
    if (code == DBK_OK)
        reseal_numbers_begin(&copy->numbers, copy->ring->gone + 1);
    return code;
}

static enum dbk_code fill(struct copy *copy, const char *dir, struct dbk_error *err)
{
    enum dbk_code code = prepare(copy, dir, err);

    if (code != DBK_OK)
        return code;
    code = walk(copy, "sealing", add, err);
    if (code == DBK_OK)
        code = reseal_source_check(copy->source, err);
    if (code == DBK_OK && copy->to > 0)
        code = add_origin(copy, err);
    if (code != DBK_OK) {
        dbk_log_builder_abandon(copy->builder);
        return code;
    }
    code = dbk_log_builder_finish(copy->builder, err);
    if (code == DBK_OK && copy->last_erasure > 0)
        code = dbk_keys_erase(copy->ring->keys, NULL, 0, copy->last_erasure, err);
    return code;
}

enum dbk_code reseal_copy(const struct reseal_source *source,
                          const struct reseal_origin *origin, const char *dir,
                          struct staged_ring *ring, const struct reseal_how *how,
                          const struct dbk_watch *watch, struct resealed *out,
                          struct dbk_error *err)
{
    static struct copy copy; /* too large for a stack */
    enum dbk_code code;

    *out = (struct resealed){.records = origin->size};
    copy = (struct copy){.source = source,
                         .how = how,
                         .ring = ring,
                         .watch = watch,
                         .origin = origin,
                         .done = out,
                         .to = origin->size};
    reseal_keys_init(&copy.keys, &copy.numbers, source->keys > 0, how->keep_deleted);
    code = reseal_numbers_init(&copy.numbers, source->keys, err);
    if (code == DBK_OK)
        code = fill(&copy, dir, err);
    out->persons = copy.keys.persons;
    reseal_keys_finish(&copy.keys);
    reseal_numbers_finish(&copy.numbers);
    explicit_bzero(copy.plain, sizeof copy.plain);
    return code;
}
