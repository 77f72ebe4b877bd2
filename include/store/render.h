/* render.h - writes JSON text, value by value.
 *
 * Text grows in a buffer up to a limit. A failure sticks: whatever is written after it
 * is dropped, so that a caller checks once, at the end, with dbk_render_code. A buffer
 * is used by one thread at a time.
 */
#ifndef DBK_STORE_RENDER_H
#define DBK_STORE_RENDER_H

#include "store/error.h"
#include "store/slice.h"
#include "store/timestamp.h"
#include "store/uuid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct dbk_render {
    char *text;    /* not NUL-terminated; NULL while length is 0 */
    size_t length; /* bytes of text so far */
    bool replaced; /* a string had bytes that are not UTF-8 */
    bool zone;     /* the caller's: timestamps end with Z; stays when it is emptied */
    size_t size, limit; /* private; limit 0: none */
    enum dbk_code code; /* private */
};

/* An empty buffer that will hold at most limit bytes, or 0: what memory holds. One of
 * zeros is that too. Frees with dbk_render_finish. */
void dbk_render_init(struct dbk_render *render, size_t limit);
void dbk_render_finish(struct dbk_render *render);

/* Empty it, forget a failure, keep the memory, wiped. */
void dbk_render_clear(struct dbk_render *render);
/* The same, but keep no more memory than so many bytes. */
void dbk_render_trim(struct dbk_render *render, size_t kept);
/* Empty both, and let one have the memory of the other, which must be within its limit. */
void dbk_render_take(struct dbk_render *render, struct dbk_render *from);

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
/* A member of an object: its name as it stands there, as ",\"name\":", and a string; null
 * where the text is empty. */
void dbk_render_named(struct dbk_render *render, const char *name,
                      struct dbk_slice text);
void dbk_render_number(struct dbk_render *render, uint64_t number);
void dbk_render_uuid(struct dbk_render *render, const struct dbk_uuid *id);
/* With a Z behind it where render->zone says so. */
void dbk_render_timestamp(struct dbk_render *render, dbk_timestamp at);

#endif
