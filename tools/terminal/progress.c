#include "progress.h"

#include "escape.h"
#include "plural.h"
#include "signals.h"
#include "store/clock.h"

#include <assert.h>
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

#define LEFT_SLACK 1.25        /* an estimate that grows less, or by less than */
#define LEFT_SLACK_SECONDS 2.0 /* so much, is noise of steady work: the old one holds */

/* What is shown, in parts; the bar stands behind the name. */
struct shown_line {
    char name[128], share[16], count[96], rate[48], left[48];
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
    progress->counted = first;
    progress->estimated = false;
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

static void write_left(struct shown_line *line, double left)
{
    unsigned whole = left < 359999 ? (unsigned)(left + 0.5) : 359999;

    if (whole >= 3600)
        snprintf(line->left, sizeof line->left, ", %u:%02u:%02u left", whole / 3600,
                 whole / 60 % 60, whole % 60);
    else
        snprintf(line->left, sizeof line->left, ", %u:%02u left", whole / 60,
                 whole % 60);
}

/* Seconds until the estimate says that all is done; below 0: it was wrong. */
static double left_of(const struct progress *progress, double at)
{
    return progress->left - (at - progress->left_at);
}

/* Something more is done: estimate anew, by what is done in the phase so far. Between two
 * such moments the estimate only counts down. */
static void estimate(struct progress *progress, uint64_t done, double share, double at)
{
    double seconds = at - progress->phase, since, left;

    if (done <= progress->counted && progress->estimated)
        return;
    progress->counted = done;
    if (done <= progress->first || share <= 0 || seconds < LEFT_AFTER)
        return;
    since = share * ((double)(done - progress->first) / (double)done);
    left = seconds * (1 - share) / since;
    if (progress->estimated && left > left_of(progress, at) &&
        left < left_of(progress, at) * LEFT_SLACK + LEFT_SLACK_SECONDS)
        return;
    progress->estimated = true;
    progress->left = left;
    progress->left_at = at;
}

static void write_line(const struct progress *progress, uint64_t done, double share,
                       double at, struct shown_line *line)
{
    uint64_t since = done > progress->first ? done - progress->first : 0;
    struct line name = {.text = line->name, .size = sizeof line->name};
    double seconds = at - progress->phase, left = left_of(progress, at);

    *line = (struct shown_line){.name = ""};
    line_add_plain(&name, progress->name); /* may be the name of a file */
    if (share >= 0)
        snprintf(line->share, sizeof line->share, " %3.0f %%", share * 100);
    if (*progress->unit)
        snprintf(line->count, sizeof line->count, "  %s",
                 plural(done, progress->unit).text);
    if (*progress->unit && seconds >= RATE_AFTER)
        snprintf(line->rate, sizeof line->rate, ", %.0f a second",
                 (double)since / seconds);
    if (progress->estimated && share >= 0 && (left >= 0 || share == 1))
        write_left(line, left > 0 ? left : 0);
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

static size_t rest_of(const struct shown_line *line)
{
    return strlen(line->share) + strlen(line->count) + strlen(line->rate) +
           strlen(line->left);
}

static void put_rest(FILE *out, const struct shown_line *line)
{
    fprintf(out, "%s%s%s%s", line->share, line->count, line->rate, line->left);
}

/* The last column stays free: some terminals go to the next line behind it. Where the rest
 * is narrow, what is left to be done goes last. */
static void draw(struct progress *progress, double share, struct shown_line *line)
{
    size_t room = columns_of(progress) - 1, name = strlen(line->name);

    if (name + rest_of(line) > room)
        *line->rate = '\0';
    if (name + rest_of(line) > room)
        *line->count = '\0';
    if (rest_of(line) > room)
        *line->left = '\0';
    if (rest_of(line) > room)
        *line->share = '\0';
    cut(line->name, room - rest_of(line));
    fputs(line->name, progress->out);
    if (share >= 0)
        draw_bar(progress, share, room - strlen(line->name) - rest_of(line));
    put_rest(progress->out, line);
}

void progress_show_share(struct progress *progress, uint64_t done, double share)
{
    double at = now();
    struct shown_line line;

    if (!progress->out)
        return;
    share = share > 1 ? 1 : share;
    estimate(progress, done, share, at);
    if (at - progress->shown < (progress->terminal ? BAR_EVERY : LINE_EVERY))
        return;
    progress_clear(progress);
    write_line(progress, done, share, at, &line);
    if (progress->terminal)
        draw(progress, share, &line);
    else {
        fputs(line.name, progress->out);
        put_rest(progress->out, &line);
        fputc('\n', progress->out);
    }
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
