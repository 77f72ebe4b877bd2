#include "backup_list.h"

#include "backup_entries.h"
#include "escape.h"
#include "signals.h"

#include <inttypes.h>
#include <string.h>

static const char *name_of(const struct backup_entry *entry)
{
    const char *slash = strrchr(entry->path, '/');

    return slash && slash[1] ? slash + 1 : entry->path;
}

/* In the largest unit of which there are two. */
static void write_age(const struct backup_entry *entry, char out[32])
{
    static const struct {
        time_t seconds;
        const char *name;
    } units[] = {{86400, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
    time_t age = time(NULL) - entry->made.tv_sec;
    size_t i = 0;

    while (i < 3 && age < 2 * units[i].seconds)
        i++;
    snprintf(out, 32, "%lld %s", (long long)(age > 0 ? age / units[i].seconds : 0),
             units[i].name);
}

static void print_text(const struct backup_entries *entries, const char *dir)
{
    if (entries->count == 0)
        printf("no backups in %s\n", dir);
    else
        printf("%-12s %10s %14s %12s  %s\n", "records", "MiB", "age", "", "name");
    for (size_t i = 0; i < entries->count; i++) {
        const struct backup_entry *entry = &entries->list[i];
        char age[32];

        write_age(entry, age);
        printf("%-12" PRIu64 " %10.1f %14s %12s  ", entry->look.last,
               (double)entry->bytes / 1048576, age,
               entry->look.whole ? "whole" : "not whole");
        escape_plain(stdout, dbk_slice(name_of(entry)));
        if (entry->look.whole && entry->of == BACKUP_OF_OTHER)
            fputs(": of another log or history", stdout);
        if (*entry->wrong) {
            fputs(": ", stdout);
            escape_plain(stdout, dbk_slice(entry->wrong));
        }
        putchar('\n');
    }
}

static void print_time(const char *name, dbk_timestamp at)
{
    char text[DBK_TIMESTAMP_TEXT + 1];

    dbk_timestamp_format(at, text);
    printf(",\"%s\":\"%s\"", name, text);
}

static void print_json_one(const struct backup_entry *entry)
{
    static const char *const of[] = {[BACKUP_OF_UNKNOWN] = "null",
                                     [BACKUP_OF_THIS] = "true",
                                     [BACKUP_OF_OTHER] = "false"};
    char id[DBK_UUID_TEXT + 1];

    dbk_uuid_format(&entry->look.store_id, id);
    fputs("{\"path\":", stdout);
    escape_string(stdout, entry->path);
    printf(",\"store_id\":\"%s\",\"head\":%" PRIu64 ",\"bytes\":%" PRIu64, id,
           entry->look.last, entry->bytes);
    print_time("made_at", (dbk_timestamp)entry->made.tv_sec * 1000000 +
                              entry->made.tv_nsec / 1000);
    if (entry->look.last > 0)
        print_time("last_recorded_at", entry->look.last_recorded_at);
    else
        fputs(",\"last_recorded_at\":null", stdout);
    printf(",\"whole\":%s,\"of_this_log\":%s,\"finding\":",
           entry->look.whole ? "true" : "false", of[entry->of]);
    if (*entry->wrong)
        escape_string(stdout, entry->wrong);
    else
        fputs("null", stdout);
    putchar('}');
}

static void print_json(const struct backup_entries *entries)
{
    fputs("{\"backups\":[", stdout);
    for (size_t i = 0; i < entries->count; i++) {
        if (i > 0)
            putchar(',');
        print_json_one(&entries->list[i]);
    }
    puts("]}");
}

static bool all_whole(const struct backup_entries *entries)
{
    bool whole = true;

    for (size_t i = 0; i < entries->count; i++)
        whole = whole && entries->list[i].look.whole;
    return whole;
}

enum tool_exit backup_list_run(const struct tool *tool, const char *dir)
{
    struct backup_entries entries;
    enum tool_exit exit = TOOL_DONE;
    struct progress progress;
    struct dbk_error err;
    enum dbk_code code;

    signals_hold();
    progress_start(&progress, tool_progress(tool));
    code = backup_entries_find(dir, &entries, &err);
    if (code == DBK_OK)
        code = backup_entries_look(tool, &entries, &progress, &err);
    if (code != DBK_OK)
        exit = tool_fail(tool, &err);
    else if (tool_has(tool, "--json"))
        print_json(&entries);
    else
        print_text(&entries, dir);
    if (code == DBK_OK && !all_whole(&entries))
        exit = TOOL_DIFFERENT;
    backup_entries_finish(&entries);
    return exit;
}
