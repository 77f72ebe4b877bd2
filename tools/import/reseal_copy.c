#include "reseal_copy.h"

#include "reseal_keys.h"
#include "store/log_builder.h"

#include <string.h>
#include <sys/random.h>

/* One under way. */
struct copy {
    struct reseal_keys keys;
    struct import_ring *ring;
    struct dbk_log_builder *builder;
    const struct dbk_watch *watch;
    const char *phase;
    const struct reseal_origin *origin;
    uint64_t to;
    dbk_timestamp last; /* when the last record was appended */
    char plain[DBK_RECORD_MAX], sealed[DBK_RECORD_MAX];
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

    return reseal_keys_look(&copy->keys, record, err);
}

/* Of a person who is deleted nobody will ever open anything: the key is kept nowhere. */
static enum dbk_code get_key(const struct copy *copy, uint64_t number, bool gone,
                             uint8_t key[DBK_KEY_BYTES], struct dbk_error *err)
{
    enum dbk_code code;

    if (gone)
        return getrandom(key, DBK_KEY_BYTES, 0) == DBK_KEY_BYTES
                   ? DBK_OK
                   : dbk_fail(err, DBK_IO, "the system gives no random bytes");
    code = dbk_keys_ahead(copy->ring->keys, number, err);
    return code == DBK_OK ? dbk_keys_get(copy->ring->keys, number, key, err) : code;
}

static enum dbk_code seal(struct copy *copy, size_t *length, uint64_t number, bool gone,
                          struct dbk_error *err)
{
    uint8_t key[DBK_KEY_BYTES];
    enum dbk_code code = get_key(copy, number, gone, key, err);

    if (code == DBK_OK)
        code = dbk_record_seal(copy->plain, *length, number, key, copy->sealed,
                               sizeof copy->sealed, length, err);
    explicit_bzero(key, sizeof key);
    return code;
}

/* In the oldest format that says it: what the first one had empty is not there in another. */
static enum dbk_code add(void *context, const struct dbk_record *record,
                         struct dbk_error *err)
{
    struct dbk_record plain = *record;
    struct copy *copy = context;
    enum dbk_code code;
    uint64_t number;
    size_t length;
    bool gone;

    copy->last = record->recorded_at;
    code = reseal_keys_of(&copy->keys, record, &number, &gone, err);
    if (code == DBK_OK && number > 0)
        plain.format = 0;
    if (code == DBK_OK)
        code = dbk_record_encode(&plain, copy->plain, sizeof copy->plain, &length, err);
    if (code == DBK_OK && number > 0)
        code = seal(copy, &length, number, gone, err);
    if (code == DBK_OK)
        code = dbk_log_builder_add(
            copy->builder, number > 0 ? copy->sealed : copy->plain, length, err);
    return code;
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

static enum dbk_code walk(struct copy *copy, struct dbk_log *log, const char *phase,
                          enum dbk_code record(void *, const struct dbk_record *,
                                               struct dbk_error *),
                          struct dbk_error *err)
{
    const struct dbk_log_visitor visitor = {
        .record = record, .before = before, .context = copy};

    copy->phase = phase;
    return copy->to > 0 ? dbk_log_each(log, 0, copy->to, &visitor, err) : DBK_OK;
}

static enum dbk_code fill(struct copy *copy, struct dbk_log *log, const char *dir,
                          struct dbk_error *err)
{
    enum dbk_code code = walk(copy, log, "looking for who is deleted", look, err);

    if (code == DBK_OK)
        code = reseal_keys_looked(&copy->keys, err);
    if (code == DBK_OK)
        code = import_ring_open(copy->ring, err);
    if (code == DBK_OK)
        code = import_ring_forget(copy->ring, copy->keys.gone, err);
    if (code == DBK_OK)
        code = dbk_log_builder_open_sealed(dir, copy->ring->keys, &copy->builder, err);
    if (code != DBK_OK)
        return code;
    reseal_keys_begin(&copy->keys, copy->ring->gone + 1);
    code = walk(copy, log, "sealing", add, err);
    if (code == DBK_OK && copy->to > 0)
        code = add_origin(copy, err);
    if (code == DBK_OK)
        return dbk_log_builder_finish(copy->builder, err);
    dbk_log_builder_abandon(copy->builder);
    return code;
}

enum dbk_code reseal_copy(struct dbk_log *log, const struct reseal_origin *origin,
                          const char *dir, struct import_ring *ring, bool keep_deleted,
                          const struct dbk_watch *watch, struct resealed *out,
                          struct dbk_error *err)
{
    static struct copy copy; /* too large for a stack */
    enum dbk_code code;

    copy = (struct copy){
        .ring = ring, .watch = watch, .origin = origin, .to = origin->size};
    reseal_keys_init(&copy.keys, keep_deleted);
    code = fill(&copy, log, dir, err);
    *out = (struct resealed){.records = origin->size, .persons = copy.keys.persons};
    reseal_keys_finish(&copy.keys);
    explicit_bzero(copy.plain, sizeof copy.plain);
    return code;
}
