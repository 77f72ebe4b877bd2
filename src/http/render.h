/* render.h - writes JSON text: events, persons, records of the log, and their parts.
 *
 * Text grows in a buffer up to a limit. A failure sticks: whatever is written after it
 * is dropped, so that a caller checks once, at the end, with dbk_render_code.
 */
#ifndef DBK_HTTP_RENDER_H
#define DBK_HTTP_RENDER_H

#include "store/command.h"
#include "store/error.h"
#include "store/record.h"

struct dbk_render {
    char *text;         /* not NUL-terminated; NULL while length is 0 */
    size_t length;      /* bytes of text so far */
    bool replaced;      /* a string had bytes that are not UTF-8 */
    size_t size, limit; /* private */
    enum dbk_code code; /* private */
};

/* An empty buffer that will hold at most limit bytes. Frees with dbk_render_finish. */
void dbk_render_init(struct dbk_render *render, size_t limit);
void dbk_render_finish(struct dbk_render *render);

/* Empty it, forget a failure, keep the memory. */
void dbk_render_clear(struct dbk_render *render);

/* DBK_OK, DBK_TOO_LARGE (over the limit) or DBK_NO_MEMORY. */
enum dbk_code dbk_render_code(const struct dbk_render *render);

/* As dbk_render_raw, where there is no room or a failure. */
void dbk_render_grow(struct dbk_render *render, const char *bytes, size_t length);

/* Bytes as they are: punctuation, or JSON that is finished. Inline, for most of what is
 * rendered is short and constant. */
static inline void dbk_render_raw(struct dbk_render *render, const char *bytes,
                                  size_t length)
{
    if (length == 0) /* of nothing, which may be NULL */
        return;
    if (length < render->size - render->length && render->code == DBK_OK) {
        memcpy(render->text + render->length, bytes, length);
        render->length += length;
    } else {
        dbk_render_grow(render, bytes, length);
    }
}

static inline void dbk_render_text(struct dbk_render *render, const char *text)
{
    dbk_render_raw(render, text, strlen(text));
}

/* JSON that a client wrote, on one line: a line break in it can only be white space
 * between its values, and becomes a space, so that NDJSON stays a line a value. */
void dbk_render_json(struct dbk_render *render, struct dbk_slice json);

/* JSON values. A string's bytes that are not UTF-8 become U+FFFD, one for each byte. */
void dbk_render_string(struct dbk_render *render, struct dbk_slice text);
void dbk_render_number(struct dbk_render *render, uint64_t number);
void dbk_render_uuid(struct dbk_render *render, const struct dbk_uuid *id);
void dbk_render_timestamp(struct dbk_render *render, dbk_timestamp at);

/* {"id", "datetime_created", "event_type", "person_id"[, "properties"]} of an
 * event.recorded. It was created when the client said, or else at recorded_at. */
void dbk_render_event(struct dbk_render *render, const struct dbk_record *event,
                      dbk_timestamp recorded_at);

/* {"id", "datetime_created", "datetime_modified", "email", "events", "first_name",
 * "last_name", "role"}; events is the finished text of its array, brackets included. */
void dbk_render_person(struct dbk_render *render, const struct dbk_person_state *person,
                       struct dbk_slice events);

/* {"format", "type", "sequence", "recorded_at", "subject_id", "data", "meta"} of a
 * decoded record, as GET /log shows it. */
void dbk_render_record(struct dbk_render *render, const struct dbk_record *record);

/* The same with nothing lost, as exports have it: properties that hold line breaks are
 * followed by "properties_text", their text as a string. */
void dbk_render_record_exact(struct dbk_render *render,
                             const struct dbk_record *record);

#endif
