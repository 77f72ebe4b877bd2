#include "process.h"

#include "exposition.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* Its first line that begins so, or all of it where that is "". A file of /proc is small
 * where it matters, and made when it is read. */
static bool read_line(const char *path, const char *begins, char *line, int size)
{
    FILE *file = fopen(path, "re");
    bool found = false;

    while (file && !found && fgets(line, size, file))
        found = strncmp(line, begins, strlen(begins)) == 0;
    if (file)
        fclose(file);
    return found;
}

/* Threads, and ticks from the start of the machine to that of the process. The name before
 * them, in parentheses, may have blanks. Source: proc_pid_stat(5). */
static bool read_stat(unsigned long long *threads, unsigned long long *started)
{
    char line[1024];
    const char *at;

    if (!read_line("/proc/self/stat", "", line, sizeof line))
        return false;
    at = strrchr(line, ')');
    return at && sscanf(at + 1,
                        " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d "
                        "%*d %*d %llu %*d %llu",
                        threads, started) == 2;
}

static bool read_boot(unsigned long long *seconds)
{
    char line[256];

    return read_line("/proc/stat", "btime ", line, sizeof line) &&
           sscanf(line, "btime %llu", seconds) == 1;
}

static bool read_resident(unsigned long long *pages)
{
    char line[256];

    return read_line("/proc/self/statm", "", line, sizeof line) &&
           sscanf(line, "%*u %llu", pages) == 1;
}

/* This one of reading the folder is not counted, nor are "." and "..". */
static bool count_files(uint64_t *count)
{
    DIR *dir = opendir("/proc/self/fd");

    if (!dir)
        return false;
    *count = 0;
    while (readdir(dir))
        (*count)++;
    closedir(dir);
    *count -= *count > 3 ? 3 : *count;
    return true;
}

static void render_stat(struct dbk_render *out)
{
    unsigned long long threads, started, boot;
    const long hertz = sysconf(_SC_CLK_TCK);

    if (!read_stat(&threads, &started))
        return;
    exposition_gauge(out, "process_threads", "Threads of the process.", threads);
    if (hertz > 0 && read_boot(&boot))
        exposition_gauge_seconds(out, "process_start_time_seconds",
                                 "When the process started, in seconds since 1970.",
                                 boot * 1000000 +
                                     started * 1000000 / (unsigned long long)hertz);
}

static void render_memory(struct dbk_render *out)
{
    unsigned long long pages;
    const long size = sysconf(_SC_PAGESIZE);

    if (size > 0 && read_resident(&pages))
        exposition_gauge(out, "process_resident_memory_bytes",
                         "Memory that the process has resident.",
                         pages * (unsigned long long)size);
}

static void render_files(struct dbk_render *out)
{
    struct rlimit limit;
    uint64_t count;

    if (count_files(&count))
        exposition_gauge(out, "process_open_fds", "Files and sockets that are open.",
                         count);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        exposition_gauge(out, "process_max_fds", "Files and sockets that may be open.",
                         limit.rlim_cur);
}

static void render_processor(struct dbk_render *out)
{
    struct timespec used;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) != 0)
        return;
    exposition_begin(out, "process_cpu_seconds_total", "counter",
                     "Processor time, of the process and of the system for it.");
    exposition_seconds(out, "process_cpu_seconds_total", "",
                       (uint64_t)used.tv_sec * 1000000 + (uint64_t)used.tv_nsec / 1000);
}

void process_render(struct dbk_render *out)
{
    render_stat(out);
    render_memory(out);
    render_files(out);
    render_processor(out);
}
