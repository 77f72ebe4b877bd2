#include "import_progress.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BAR_EVERY 0.1 /* seconds */
#define LINE_EVERY 5.0
#define BAR_WIDTH 30

static double now(void)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

void import_progress_start(struct import_progress *progress, FILE *out)
{
    *progress = (struct import_progress){.out = out, .name = "", .started = now()};
    progress->shown = progress->started;
    progress->terminal = out && isatty(fileno(out)) == 1;
}

void import_progress_file(struct import_progress *progress, const char *name,
                          uint64_t lines)
{
    const char *slash = strrchr(name, '/');

    import_progress_clear(progress);
    progress->name = slash ? slash + 1 : name;
    progress->base = lines;
}

double import_progress_seconds(const struct import_progress *progress)
{
    return now() - progress->started;
}

void import_progress_clear(struct import_progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", progress->out);
    progress->drawn = false;
}

static void draw_bar(struct import_progress *progress, double share)
{
    char bar[BAR_WIDTH + 1];
    size_t full = (size_t)(share * BAR_WIDTH);

    memset(bar, ' ', BAR_WIDTH);
    memset(bar, '#', full);
    bar[BAR_WIDTH] = '\0';
    fprintf(progress->out, " [%s]", bar);
}

void import_progress_show(struct import_progress *progress, uint64_t lines,
                          double share)
{
    double at = now(), seconds = at - progress->started;

    if (!progress->out ||
        at - progress->shown < (progress->terminal ? BAR_EVERY : LINE_EVERY))
        return;
    import_progress_clear(progress);
    fprintf(progress->out, "%s", progress->name);
    if (progress->terminal && share >= 0)
        draw_bar(progress, share);
    if (share >= 0)
        fprintf(progress->out, " %3.0f %%", share * 100);
    fprintf(progress->out, "  line %" PRIu64 "  %.0f lines a second",
            lines - progress->base, seconds > 0 ? (double)lines / seconds : 0);
    fputs(progress->terminal ? "" : "\n", progress->out);
    fflush(progress->out);
    progress->drawn = progress->terminal;
    progress->shown = at;
}
