#include "progress.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_EVERY 0.1 /* seconds */
#define LINE_EVERY 5.0
#define BAR_WIDTH 30
#define LEFT_AFTER 1.0 /* a guess made sooner is no use */

static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

void progress_start(struct progress *progress, FILE *out)
{
    *progress = (struct progress){.out = out, .name = "", .unit = "", .started = now()};
    progress->shown = progress->phase = progress->started;
    progress->terminal = out && isatty(fileno(out)) == 1;
}

void progress_phase(struct progress *progress, const char *name, const char *unit)
{
    if (progress->name == name)
        return;
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

static void draw_bar(struct progress *progress, double share)
{
    char bar[BAR_WIDTH + 1];

    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '#', (size_t)(share * BAR_WIDTH));
    bar[BAR_WIDTH] = '\0';
    fprintf(progress->out, " [%s]", bar);
}

static void print_left(struct progress *progress, double share, double seconds)
{
    double left = share > 0 ? seconds * (1 - share) / share : 0;
    unsigned whole = left < 359999 ? (unsigned)(left + 0.5) : 359999;

    if (share <= 0 || seconds < LEFT_AFTER)
        return;
    if (whole >= 3600)
        fprintf(progress->out, ", %u:%02u:%02u left", whole / 3600, whole / 60 % 60,
                whole % 60);
    else
        fprintf(progress->out, ", %u:%02u left", whole / 60, whole % 60);
}

void progress_show_share(struct progress *progress, uint64_t done, double share)
{
    double at = now(), seconds = at - progress->phase;

    if (!progress->out ||
        at - progress->shown < (progress->terminal ? BAR_EVERY : LINE_EVERY))
        return;
    progress_clear(progress);
    share = share > 1 ? 1 : share;
    fprintf(progress->out, "%s", progress->name);
    if (progress->terminal && share >= 0)
        draw_bar(progress, share);
    if (share >= 0)
        fprintf(progress->out, " %3.0f %%", share * 100);
    fprintf(progress->out, "  %" PRIu64 " %s, %.0f a second", done, progress->unit,
            seconds > 0 ? (double)done / seconds : 0);
    print_left(progress, share, seconds);
    fputs(progress->terminal ? "" : "\n", progress->out);
    fflush(progress->out);
    progress->drawn = progress->terminal;
    progress->shown = at;
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total)
{
    progress_show_share(progress, done, total > 0 ? (double)done / (double)total : -1);
}
