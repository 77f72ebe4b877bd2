#include "logger.h"

#include "escape.h"
#include "http/tokens.h"
#include "store/timestamp.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A line longer than this loses its last fields. Linux writes it at once to a pipe or
 * file in append mode; PIPE_BUF (4096) bounds what several processes may mix. */
#define LINE_MAX_BYTES 4096
#define ENDING_BYTES 24 /* for what closes a cut line */

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_LEVEL_ERROR:
        return "error";
    case LOG_LEVEL_WARN:
        return "warn";
    case LOG_LEVEL_INFO:
        return "info";
    case LOG_LEVEL_DEBUG:
        return "debug";
    }
    return "error";
}

static void add_number(struct line *line, int64_t number)
{
    char digits[24];

    snprintf(digits, sizeof digits, "%" PRId64, number);
    line_add(line, digits);
}

static void add_text_field(struct line *line, const struct log_field *field)
{
    line_add(line, " ");
    line_add(line, field->key);
    line_add(line, "=");
    if (field->text)
        line_add_value(line, field->text);
    else
        add_number(line, field->number);
}

static void add_json_text(struct line *line, const char *text)
{
    line_add(line, "\"");
    line_add_json(line, text);
    line_add(line, "\"");
}

static void add_json_field(struct line *line, const struct log_field *field)
{
    line_add(line, ",");
    add_json_text(line, field->key);
    line_add(line, ":");
    if (field->text)
        add_json_text(line, field->text);
    else
        add_number(line, field->number);
}

static void add_start(struct line *line, bool json, enum log_level level,
                      const char *message)
{
    char time[DBK_TIMESTAMP_TEXT + 1];

    dbk_timestamp_format(dbk_timestamp_now(), time);
    if (!json) {
        line_add(line, time);
        line_add(line, "Z ");
        line_add(line, level_name(level));
        line_add(line, " ");
        line_add_plain(line, message);
        return;
    }
    line_add(line, "{\"time\":\"");
    line_add(line, time);
    line_add(line, "Z\",\"level\":\"");
    line_add(line, level_name(level));
    line_add(line, "\",\"message\":");
    add_json_text(line, message);
}

/* Take back what of the field did not fit, so that the line stays whole up to there. */
static void add_field(struct line *line, bool json, const struct log_field *field)
{
    size_t length = line->length;

    if (json)
        add_json_field(line, field);
    else
        add_text_field(line, field);
    if (line->cut) {
        line->length = length;
        line->text[length] = '\0';
    }
}

/* A message that fills the line leaves its JSON open: close it. */
static void add_end(struct line *line, bool json, bool message_cut)
{
    bool cut = line->cut;

    line->size += ENDING_BYTES;
    line->cut = false;
    if (json && message_cut)
        line_add(line, "\"");
    if (cut)
        line_add(line, json ? ",\"cut\":true" : " cut=true");
    line_add(line, json ? "}\n" : "\n");
    assert(!line->cut); /* ENDING_BYTES are enough */
}

/* Whether the write that failed may be tried again. Where it would have to wait, and the
 * descriptor is set not to, we do. */
static bool passes(int fd)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};

    if (errno == EAGAIN)
        poll(&room, 1, -1);
    return errno == EAGAIN || errno == EINTR;
}

/* A token may come where none belongs, as in a query, and would be open to whoever reads
 * the log. */
static void hide_tokens(struct line *line)
{
    char *end = line->text + line->length, *at = line->text;

    while ((at = memmem(at, (size_t)(end - at), "dbk_", 4))) {
        at += 4;
        for (size_t i = 0; i < DBK_TOKEN_SECRET - 4 &&
                           (isalnum((unsigned char)*at) || *at == '-' || *at == '_');
             i++)
            *at++ = '*';
    }
}

/* To its end: a file or pipe takes a line at once, a terminal or socket maybe in parts. */
static void put(int fd, const struct line *line)
{
    size_t done = 0;

    while (done < line->length) {
        ssize_t wrote = write(fd, line->text + done, line->length - done);

        if (wrote > 0)
            done += (size_t)wrote;
        else if (wrote == 0 || !passes(fd))
            return;
    }
}

bool logger_shows(const struct logger *logger, enum log_level level)
{
    return level <= logger->level;
}

void logger_write(const struct logger *logger, enum log_level level,
                  const char *message, const struct log_field *fields, size_t count)
{
    char text[LINE_MAX_BYTES];
    struct line line = {.text = text, .size = sizeof text - ENDING_BYTES};
    bool message_cut;

    if (!logger_shows(logger, level))
        return;
    add_start(&line, logger->json, level, message);
    message_cut = line.cut;
    for (size_t i = 0; i < count && !line.cut; i++)
        add_field(&line, logger->json, &fields[i]);
    add_end(&line, logger->json, message_cut);
    hide_tokens(&line);
    put(logger->fd, &line);
}

void logger_line(const struct logger *logger, enum log_level level, const char *message)
{
    logger_write(logger, level, message, NULL, 0);
}
