#include "ring.h"

#include "log_page.h"

#include <assert.h>
#include <stdlib.h>

#define ENTRIES_MAX (1u << 15) /* a power of two */
#define PIECE_RECORDS 1000
#define PIECE_BYTES (256u << 10)

/* A ring_entry, and behind it its bytes. */
struct held {
    struct ring_entry entry;
    size_t bytes; /* of all of it */
    char text[];
};

struct ring {
    size_t bytes_max, bytes;
    uint64_t next;                 /* the last one's sequence, and 1 */
    uint64_t from[RING_HAS_COUNT]; /* all from there on have it */
    unsigned count;
    struct held *list[ENTRIES_MAX]; /* by sequence, modulo */
    struct dbk_batch batch;
    struct dbk_render render;
};

struct ring *ring_create(size_t bytes_max)
{
    struct ring *ring = calloc(1, sizeof *ring);

    if (!ring)
        return NULL;
    ring->bytes_max = bytes_max;
    ring_clear(ring, 1);
    return ring;
}

void ring_destroy(struct ring *ring)
{
    if (!ring)
        return;
    ring_clear(ring, 1);
    free(ring);
}

static struct held **place(struct ring *ring, uint64_t sequence)
{
    return &ring->list[sequence % ENTRIES_MAX];
}

static uint64_t oldest(const struct ring *ring)
{
    return ring->next - ring->count;
}

static void drop_oldest(struct ring *ring)
{
    struct held **held = place(ring, oldest(ring));

    assert(ring->count > 0 && ring->bytes >= (*held)->bytes);
    ring->bytes -= (*held)->bytes;
    free(*held);
    *held = NULL;
    ring->count--;
}

static void drop_all(struct ring *ring)
{
    while (ring->count > 0)
        drop_oldest(ring);
}

/* The memory in which records were opened and rendered. */
static void let_go(struct ring *ring)
{
    dbk_batch_finish(&ring->batch);
    dbk_render_finish(&ring->render);
    ring->render = (struct dbk_render){0};
}

void ring_clear(struct ring *ring, uint64_t next)
{
    drop_all(ring);
    let_go(ring);
    ring->next = next;
    for (unsigned i = 0; i < RING_HAS_COUNT; i++)
        ring->from[i] = next;
}

bool ring_forget(struct ring *ring, uint64_t through)
{
    if (oldest(ring) > through)
        return false;
    if (ring->next <= through) {
        ring_clear(ring, through + 1);
        return true;
    }
    while (oldest(ring) <= through)
        drop_oldest(ring);
    let_go(ring);
    return true;
}

uint64_t ring_next(const struct ring *ring)
{
    return ring->next;
}

uint64_t ring_first(const struct ring *ring, unsigned has)
{
    uint64_t first = oldest(ring);

    for (unsigned i = 0; i < RING_HAS_COUNT; i++) {
        if (has & 1u << i && ring->from[i] > first)
            first = ring->from[i];
    }
    return first;
}

size_t ring_bytes(const struct ring *ring)
{
    return ring->bytes;
}

const struct ring_entry *ring_entry(const struct ring *ring, uint64_t sequence)
{
    assert(sequence >= oldest(ring) && sequence < ring->next);
    return &ring->list[sequence % ENTRIES_MAX]->entry;
}

const struct seen *ring_ask_owner(struct ring *ring, struct dbk_log *log,
                                  uint64_t sequence, uint64_t head)
{
    struct ring_entry *entry;

    assert(sequence >= oldest(ring) && sequence < ring->next);
    entry = &(*place(ring, sequence))->entry;
    if (entry->asked_at != head)
        seen_ask_owner(log, &entry->seen);
    entry->asked_at = head;
    return &entry->seen;
}

/* All the bytes of an entry: its frames, one behind the other, and its event's type. */
static enum dbk_code render_all(struct ring *ring, const struct dbk_record *record,
                                unsigned has, const char *source, size_t ends[FORMS],
                                struct dbk_error *err)
{
    dbk_render_clear(&ring->render);
    for (unsigned form = 0; form < FORMS; form++) {
        if (has & RING_HAS_FORM(form))
            sse_record(&ring->render, record, (enum form)form, source);
        ends[form] = ring->render.length;
    }
    if (record->type == DBK_EVENT_RECORDED)
        dbk_render_raw(&ring->render, record->event_type.data,
                       record->event_type.length);
    if (dbk_render_code(&ring->render) != DBK_OK)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for the records of streams");
    return DBK_OK;
}

static void point(struct held *held, const size_t ends[FORMS])
{
    size_t at = 0;

    for (unsigned form = 0; form < FORMS; at = ends[form++])
        held->entry.frames[form] = (struct dbk_slice){held->text + at, ends[form] - at};
    if (held->entry.seen.event_type.length > 0)
        held->entry.seen.event_type.data = held->text + at;
}

static enum dbk_code add(struct ring *ring, struct dbk_log *log,
                         const struct dbk_record *record, unsigned has,
                         const char *source, struct dbk_error *err)
{
    struct dbk_render *render = &ring->render;
    size_t ends[FORMS];
    struct held *held;

    if (render_all(ring, record, has, source, ends, err) != DBK_OK)
        return err->code;
    held = malloc(sizeof *held + render->length);
    if (!held)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for the records of streams");
    held->bytes = sizeof *held + render->length;
    held->entry.sequence = ring->next;
    held->entry.asked_at = 0;
    seen_look(log, record, has & RING_HAS_OWNER, &held->entry.seen);
    if (render->length > 0)
        memcpy(held->text, render->text, render->length);
    point(held, ends);
    while (ring->count > 0 &&
           (ring->count == ENTRIES_MAX || ring->bytes + held->bytes > ring->bytes_max))
        drop_oldest(ring);
    *place(ring, ring->next++) = held;
    ring->bytes += held->bytes;
    ring->count++;
    return DBK_OK;
}

enum dbk_code ring_fill(struct ring *ring, struct dbk_log *log, unsigned has,
                        const char *source, size_t *added, struct dbk_error *err)
{
    struct dbk_record record;

    *added = 0;
    if (dbk_log_read(log, ring->next - 1, PIECE_RECORDS, PIECE_BYTES, &ring->batch,
                     err) != DBK_OK)
        return err->code;
    for (size_t i = 0; i < ring->batch.count; i++) {
        enum dbk_code code = log_page_read(&ring->batch, i, &record, err);
        if (code == DBK_OK)
            code = add(ring, log, &record, has, source, err);
        if (code != DBK_OK && i == 0)
            return code;
        if (code != DBK_OK)
            break; /* told when it is the first */
        ++*added;
        if (record.damaged > 0) /* its key may be put back: then the log tells */
            for (unsigned k = 0; k < RING_HAS_COUNT; k++)
                ring->from[k] = ring->next;
    }
    for (unsigned i = 0; i < RING_HAS_COUNT; i++) {
        if (!(has & 1u << i))
            ring->from[i] = ring->next;
    }
    return DBK_OK;
}
