#include "tokens.h"

#include <string.h>

/* One table taken away, another put: of more lines in a message, all take the first alike. */
enum { CHANGES_MAX = 2 * TOKENS_MAX };

static const char put_begins[] = "{\"put\":\"", revoke_begins[] = "{\"revoke\":\"";

static struct dbk_slice next_line(struct dbk_slice *text)
{
    const char *feed = memchr(text->data, '\n', text->length);
    size_t length = feed ? (size_t)(feed - text->data) : text->length;
    struct dbk_slice line = {text->data, length};

    length += feed != NULL;
    *text = (struct dbk_slice){text->data + length, text->length - length};
    return line;
}

/* The name behind such a beginning; length 0: the line has another. */
static struct dbk_slice name_behind(struct dbk_slice line, const char *begins)
{
    size_t length = strlen(begins), end;

    if (line.length < length || memcmp(line.data, begins, length) != 0)
        return (struct dbk_slice){NULL, 0};
    for (end = length; end < line.length; end++)
        if (line.data[end] == ' ' || line.data[end] == '"' || line.data[end] == '\\')
            break;
    return (struct dbk_slice){line.data + length, end - length};
}

static struct dbk_slice name_of(struct dbk_slice line)
{
    struct dbk_slice name = name_behind(line, put_begins);

    return name.length > 0 ? name : name_behind(line, revoke_begins);
}

/* Whether a later line is about the name: then this one holds no longer. */
static bool is_changed(struct dbk_slice name, struct dbk_slice later)
{
    while (later.length > 0)
        if (dbk_slice_equal(name, name_of(next_line(&later))))
            return true;
    return false;
}

/* The lines of text that put what neither what is left of it nor `later` changes. */
static void keep_lines(struct dbk_slice text, struct dbk_slice later, size_t *count,
                       struct dbk_render *out)
{
    while (text.length > 0) {
        struct dbk_slice line = next_line(&text), name = name_behind(line, put_begins);

        if (name.length == 0 || is_changed(name, text) || is_changed(name, later) ||
            *count == TOKENS_MAX)
            continue;
        dbk_render_raw(out, line.data, line.length);
        dbk_render_text(out, "\n");
        ++*count;
    }
}

/* The first CHANGES_MAX lines: each is held against all behind it. */
static struct dbk_slice bounded(struct dbk_slice text)
{
    struct dbk_slice left = text;

    for (size_t lines = 0; left.length > 0 && lines < CHANGES_MAX; lines++)
        next_line(&left);
    return (struct dbk_slice){text.data, text.length - left.length};
}

void tokens_change(struct dbk_slice table, struct dbk_slice changes,
                   struct dbk_render *out)
{
    size_t count = 0;

    changes = bounded(changes);
    keep_lines(table, changes, &count, out);
    keep_lines(changes, (struct dbk_slice){NULL, 0}, &count, out);
}

enum dbk_code tokens_kept(struct dbk_log *log, struct dbk_batch *batch,
                          struct dbk_slice *table, struct dbk_error *err)
{
    enum dbk_code code = dbk_log_kept(log, TOKENS_KEPT, batch, table, err);

    if (code != DBK_NOT_FOUND)
        return code;
    *err = (struct dbk_error){0};
    *table = (struct dbk_slice){NULL, 0};
    return DBK_OK;
}

enum dbk_code tokens_fold(struct dbk_log *log, struct dbk_slice changes,
                          struct dbk_render *out, struct dbk_error *err)
{
    struct dbk_batch batch = {0};
    struct dbk_slice table;
    enum dbk_code code = tokens_kept(log, &batch, &table, err);

    if (code == DBK_OK) {
        tokens_change(table, changes, out);
        if (dbk_render_code(out) != DBK_OK)
            code = dbk_fail(err, DBK_NO_MEMORY, "no memory for the table of tokens");
    }
    dbk_batch_finish(&batch);
    return code;
}

void tokens_tell(struct dbk_replica *replica)
{
    struct dbk_batch batch = {0};
    struct dbk_slice table;

    if (replica->options.tokens &&
        dbk_log_kept(replica->log, TOKENS_KEPT, &batch, &table, NULL) == DBK_OK)
        replica->options.tokens(replica->options.tokens_context, table);
    dbk_batch_finish(&batch);
}

enum dbk_code dbk_replica_send_tokens(struct dbk_replica *replica,
                                      struct dbk_slice changes, struct dbk_error *err)
{
    struct message message = replica_message(replica, MESSAGE_TOKENS);
    struct producer *producer = NULL;
    struct dbk_error why = {0};
    int64_t offset;

    message.url = (struct dbk_slice){NULL, 0};
    message.reseed = replica_place(replica).reseed;
    message.body = changes;
    if (producer_create(&replica->options, &producer, &why) == DBK_OK)
        producer_send_wait(producer, &message, &replica->stopping, &offset, &why);
    producer_destroy(producer);
    if (why.code == DBK_OK)
        return DBK_OK;
    /* Sent twice, the same changes come to the same. */
    return dbk_fail(err, DBK_UNAVAILABLE, "%s", why.text);
}
