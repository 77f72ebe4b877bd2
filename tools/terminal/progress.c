#include "progress.h"

#include "escape.h"
#include "plural.h"
#include "signals.h"
#include "store/clock.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define BAR_EVERY 0.1 /* seconds */
#define LINE_EVERY 5.0
#define BAR_MAX 30 /* characters between its ends */
#define BAR_MIN 5
#define RATE_AFTER 0.5 /* what is measured over less is no rate */
#define LEFT_AFTER 1.0 /* a guess made sooner is no use */
#define COLUMNS 80     /* of a terminal that does not tell */

/* What is shown: its beginning stands before the bar. */
struct shown_line {
    char name[128], rest[256];
};

static double now(void)
{
    return (double)dbk_clock_us() / 1e6;
}

void progress_start(struct progress *progress, FILE *out)
{
    *progress = (struct progress){.out = out, .name = "", .unit = "", .started = now()};
    progress->shown = progress->phase = progress->started;
    progress->terminal = out && isatty(fileno(out)) == 1;
}

void progress_phase(struct progress *progress, const char *name, const char *unit)
{
    progress_phase_at(progress, name, unit, 0);
}

void progress_phase_at(struct progress *progress, const char *name, const char *unit,
                       uint64_t first)
{
    if (progress->name == name)
        return;
    progress->first = first;
    progress_clear(progress);
    progress->name = name;
    progress->unit = unit;
    progress->phase = now();
    if (progress->terminal)
        progress->shown = 0; /* a new phase shows at once; lines keep their pace */
}

double progress_seconds(const struct progress *progress)
{
    return now() - progress->started;
}

void progress_clear(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", progress->out);
    progress->drawn = false;
}

/* Of the terminal; it may be made wider or narrower at any time. */
static size_t columns_of(const struct progress *progress)
{
    struct winsize size;

    if (progress->columns > 0)
        return progress->columns;
    if (ioctl(fileno(progress->out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return COLUMNS;
    return size.ws_col;
}

static void add(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(char *text, size_t size, const char *format, ...)
{
    size_t used = strlen(text);
    va_list args;

    va_start(args, format);
    vsnprintf(text + used, size - used, format, args);
    va_end(args);
}

static void add_left(struct shown_line *line, double left)
{
    unsigned whole = left < 359999 ? (unsigned)(left + 0.5) : 359999;

    if (whole >= 3600)
        add(line->rest, sizeof line->rest, ", %u:%02u:%02u left", whole / 3600,
            whole / 60 % 60, whole % 60);
    else
        add(line->rest, sizeof line->rest, ", %u:%02u left", whole / 60, whole % 60);
}

static void write_line(const struct progress *progress, uint64_t done, double share,
                       double seconds, struct shown_line *line)
{
    uint64_t since = done > progress->first ? done - progress->first : 0;
    struct line name = {.text = line->name, .size = sizeof line->name};
    double share_since = done > 0 ? share * ((double)since / (double)done) : 0;

    line->name[0] = '\0';
    line_add_plain(&name, progress->name); /* may be the name of a file */
    line->rest[0] = '\0';
    if (share >= 0)
        add(line->rest, sizeof line->rest, " %3.0f %%", share * 100);
    if (*progress->unit)
        add(line->rest, sizeof line->rest, "  %s", plural(done, progress->unit).text);
    if (*progress->unit && seconds >= RATE_AFTER)
        add(line->rest, sizeof line->rest, ", %.0f a second", (double)since / seconds);
    if (share_since > 0 && seconds >= LEFT_AFTER)
        add_left(line, seconds * (1 - share) / share_since);
}

/* At most so many bytes, and no half of a character. */
static void cut(char *text, size_t most)
{
    if (strlen(text) <= most)
        return;
    while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80)
        most--;
    text[most] = '\0';
}

/* As wide as the rest leaves it; where that is too little there is none. */
static void draw_bar(struct progress *progress, double share, size_t room)
{
    char bar[BAR_MAX + 1];
    size_t width = room > BAR_MAX + 3 ? BAR_MAX : room > 3 ? room - 3 : 0;

    if (width < BAR_MIN)
        return;
    assert(width <= BAR_MAX && share >= 0 && share <= 1);
    memset(bar, ' ', width);
    memset(bar, '#', (size_t)(share * (double)width));
    bar[width] = '\0';
    fprintf(progress->out, " [%s]", bar);
}

/* The last column stays free: some terminals go to the next line behind it. */
static void draw(struct progress *progress, double share, struct shown_line *line)
{
    size_t room = columns_of(progress) - 1, taken;

    cut(line->name, room);
    cut(line->rest, room - strlen(line->name));
    taken = strlen(line->name) + strlen(line->rest);
    fputs(line->name, progress->out);
    if (share >= 0)
        draw_bar(progress, share, room - taken);
    fputs(line->rest, progress->out);
}

void progress_show_share(struct progress *progress, uint64_t done, double share)
{
    double at = now();
    struct shown_line line;

    if (!progress->out ||
        at - progress->shown < (progress->terminal ? BAR_EVERY : LINE_EVERY))
        return;
    progress_clear(progress);
    share = share > 1 ? 1 : share;
    write_line(progress, done, share, at - progress->phase, &line);
    if (progress->terminal)
        draw(progress, share, &line);
    else
        fprintf(progress->out, "%s%s\n", line.name, line.rest);
    fflush(progress->out);
    progress->drawn = progress->terminal;
    progress->shown = at;
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
    progress_show_share(progress, done, total > 0 ? (double)done / (double)total : -1);
}

static void watch_progress(void *context, const char *phase, const char *unit,
                           uint64_t done, uint64_t total)
{
    progress_phase_at(context, phase, unit, done);
    progress_show(context, done, total);
}

static void watch_report(void *context, const char *line)
{
    struct progress *progress = context;

    progress_clear(progress);
    logger_line(progress->logger, LOG_LEVEL_INFO, line);
}

static bool watch_stop(void *context)
{
    (void)context;
    return signals_came();
}

struct dbk_watch progress_watch(struct progress *progress, const struct logger *logger)
{
    progress->logger = logger;
    return (struct dbk_watch){.progress = watch_progress,
                              .report = logger ? watch_report : NULL,
                              .stop = watch_stop,
                              .context = progress};
}
