#include "runs.h"

#include "store/durable.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define TMP "run.tmp"

enum { TRIES = 8 };            /* of one that is merged meanwhile */
enum { ROOM_LEFT = 64 << 20 }; /* bytes of the disk that are the log's alone */
enum { PAIR_BYTES = 32 };      /* at most, in a run */

uint64_t runs_end(const struct runs *runs)
{
    return runs->count ? runs->list[runs->count - 1]->place.to : 0;
}

void runs_copy(struct runs *out, const struct runs *from)
{
    out->count = from->count;
    for (size_t i = 0; i < from->count; i++)
        out->list[i] = run_hold(from->list[i]);
}

void runs_drop(struct runs *runs)
{
    while (runs->count > 0)
        run_drop(runs->list[--runs->count]);
}

static enum dbk_code path_of(const char *dir, uint64_t after, uint64_t to,
                             char path[PATH_MAX], struct dbk_error *err)
{
    if (snprintf(path, PATH_MAX, "%s/%" PRIu64 "-%" PRIu64 ".run", dir, after, to) <
        PATH_MAX)
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID, "the path %s is too long", dir);
}

/* False for what is no run's name. */
static bool read_name(const char *name, uint64_t *after, uint64_t *to)
{
    char again[64];

    if (sscanf(name, "%20" SCNu64 "-%20" SCNu64 ".run", after, to) != 2)
        return false;
    snprintf(again, sizeof again, "%" PRIu64 "-%" PRIu64 ".run", *after, *to);
    return strcmp(name, again) == 0 && *after < *to;
}

/* The run that begins behind `after`, and of several the longest: the others are parts of
 * it. *to is 0 where there is none. */
static enum dbk_code find_longest(const char *dir, uint64_t after, uint64_t *to,
                                  struct dbk_error *err)
{
    DIR *stream = opendir(dir);
    struct dirent *entry;
    uint64_t begins, ends;

    *to = 0;
    if (!stream)
        return errno == ENOENT ? DBK_OK : dbk_system_fail(err, "read", dir);
    while ((entry = readdir(stream))) {
        if (read_name(entry->d_name, &begins, &ends) && begins == after && ends > *to)
            *to = ends;
    }
    closedir(stream);
    return DBK_OK;
}

/* Whether it is of this history of this log. */
static enum dbk_code check_place(const struct run *run, struct dbk_log *log,
                                 uint64_t after, uint64_t to, struct dbk_error *err)
{
    struct dbk_uuid store_id = dbk_log_store_id(log);
    uint32_t checksum = 0;
    enum dbk_code code;

    if (run->place.after != after || run->place.to != to)
        return dbk_fail(err, DBK_DAMAGED,
                        "the history index is damaged: a file of it "
                        "has another's name");
    if (!dbk_uuid_equal(&run->place.store_id, &store_id))
        return dbk_fail(err, DBK_MOVED, "the history index is of another log");
    code = dbk_log_checksum(log, to, &checksum, err);
    if (code == DBK_NOT_FOUND || (code == DBK_OK && checksum != run->place.checksum))
        return dbk_fail(err, DBK_MOVED,
                        "the history index is of another history of the "
                        "log");
    return code;
}

/* The next one; none is added where there is none. */
static enum dbk_code open_next(const char *dir, struct dbk_log *log, struct runs *out,
                               struct dbk_error *err)
{
    uint64_t after = runs_end(out), to;
    char path[PATH_MAX];
    struct run *run;
    enum dbk_code code = find_longest(dir, after, &to, err);

    if (code != DBK_OK || to == 0)
        return code;
    if (out->count == RUNS_MAX)
        return dbk_fail(err, DBK_DAMAGED, "the history index has too many files");
    code = path_of(dir, after, to, path, err);
    if (code == DBK_OK)
        code = run_open(path, &run, err);
    if (code != DBK_OK)
        return code;
    out->list[out->count++] = run;
    return check_place(run, log, after, to, err);
}

enum dbk_code runs_open(const char *dir, struct dbk_log *log, struct runs *out,
                        struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    size_t before;

    for (int i = 0; i < TRIES; i++) {
        out->count = 0;
        do {
            before = out->count;
            code = open_next(dir, log, out, err);
        } while (code == DBK_OK && out->count > before);
        if (code == DBK_OK && out->count == 0)
            return dbk_fail(err, DBK_NOT_FOUND, "there is no history index in %s", dir);
        if (code == DBK_OK)
            return DBK_OK;
        runs_drop(out);
        if (code != DBK_NOT_FOUND) /* merged with another, and gone */
            break;
    }
    return code;
}

/* What is there for the log's sake may fill the disk, this may not. */
static enum dbk_code check_room(const char *dir, uint64_t pairs, struct dbk_error *err)
{
    struct statvfs vfs;

    if (statvfs(dir, &vfs) != 0)
        return dbk_system_fail(err, "look at", dir);
    if ((uint64_t)vfs.f_bavail * vfs.f_frsize < pairs * PAIR_BYTES + ROOM_LEFT)
        return dbk_fail(err, DBK_NO_ROOM,
                        "the disk has too little room left for the history index");
    return DBK_OK;
}

/* Give what was written its name, and open it. */
static enum dbk_code place_run(const char *dir, const char *tmp,
                               const struct run_place *place, struct run **out,
                               struct dbk_error *err)
{
    char path[PATH_MAX];
    enum dbk_code code = path_of(dir, place->after, place->to, path, err);

    if (code == DBK_OK && rename(tmp, path) != 0)
        code = dbk_system_fail(err, "rename to", path);
    if (code == DBK_OK)
        code = dbk_sync_directory(dir, err);
    return code == DBK_OK ? run_open(path, out, err) : code;
}

static enum dbk_code write_run(const char *dir, const struct run_place *place,
                               const struct run_pair *pairs, size_t count,
                               struct run **out, struct dbk_error *err)
{
    struct run_writer writer;
    char tmp[PATH_MAX];
    enum dbk_code code, ended;

    if (snprintf(tmp, sizeof tmp, "%s/" TMP, dir) >= (int)sizeof tmp)
        return dbk_fail(err, DBK_INVALID, "the path %s is too long", dir);
    code = check_room(dir, count, err);
    if (code != DBK_OK)
        return code;
    code = run_write_begin(&writer, tmp, err);
    for (size_t i = 0; i < count && code == DBK_OK; i++)
        code = run_write_add(&writer, &pairs[i], err);
    ended = run_write_end(&writer, code == DBK_OK ? place : NULL, err);
    if (code == DBK_OK)
        code = ended;
    return code == DBK_OK ? place_run(dir, tmp, place, out, err) : code;
}

/* Runs being merged: their cursors, each on its next pair. */
struct merge {
    size_t count;
    bool there[RUNS_MAX];
    struct run_cursor cursors[RUNS_MAX];
};

static enum dbk_code merge_pairs(struct merge *merge, struct run_writer *writer,
                                 struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    struct run_cursor *least;

    do {
        least = NULL;
        for (size_t i = 0; i < merge->count; i++) {
            if (merge->there[i] &&
                (!least || run_pair_compare(&merge->cursors[i].on, &least->on) < 0))
                least = &merge->cursors[i];
        }
        if (least)
            code = run_write_add(writer, &least->on, err);
        if (least && code == DBK_OK)
            code = run_next(least, &merge->there[least - merge->cursors], err);
    } while (least && code == DBK_OK);
    return code;
}

static enum dbk_code merge_into(struct merge *merge, const struct runs *runs,
                                size_t first, struct run_writer *writer,
                                struct dbk_error *err)
{
    static const struct run_pair least = {.sequence = 0};
    enum dbk_code code = DBK_OK;

    merge->count = runs->count - first;
    for (size_t i = 0; i < merge->count && code == DBK_OK; i++) {
        code = run_seek(&merge->cursors[i], runs->list[first + i], &least, err);
        if (code == DBK_OK)
            code = run_next(&merge->cursors[i], &merge->there[i], err);
    }
    return code == DBK_OK ? merge_pairs(merge, writer, err) : code;
}

static void remove_run(const char *dir, const struct run *run)
{
    char path[PATH_MAX];

    if (path_of(dir, run->place.after, run->place.to, path, NULL) == DBK_OK)
        unlink(path);
}

/* Those from `first` on become one. */
static void put_merged(struct runs *runs, size_t first, const char *dir,
                       struct run *merged)
{
    while (runs->count > first) {
        struct run *run = runs->list[--runs->count];

        if (run->place.to != merged->place.to ||
            run->place.after != merged->place.after)
            remove_run(dir, run);
        run_drop(run);
    }
    runs->list[runs->count++] = merged;
}

static enum dbk_code merge_from(struct runs *runs, size_t first, const char *dir,
                                struct dbk_error *err)
{
    struct run_place place = runs->list[runs->count - 1]->place;
    struct merge *merge;
    struct run_writer writer;
    struct run *merged;
    char tmp[PATH_MAX];
    enum dbk_code code, ended;

    if (snprintf(tmp, sizeof tmp, "%s/" TMP, dir) >= (int)sizeof tmp)
        return dbk_fail(err, DBK_INVALID, "the path %s is too long", dir);
    place.after = runs->list[first]->place.after;
    merge = calloc(1, sizeof *merge);
    if (!merge)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for the history index");
    code = run_write_begin(&writer, tmp, err);
    if (code == DBK_OK)
        code = merge_into(merge, runs, first, &writer, err);
    free(merge);
    ended = run_write_end(&writer, code == DBK_OK ? &place : NULL, err);
    if (code == DBK_OK)
        code = ended;
    if (code == DBK_OK)
        code = place_run(dir, tmp, &place, &merged, err);
    if (code == DBK_OK)
        put_merged(runs, first, dir, merged);
    return code;
}

/* The first of those at the end that are not more than twice what is behind them: so each
 * that is left is, and there are few, whatever they come to. */
static size_t merge_first(const struct runs *runs, uint64_t *pairs)
{
    size_t first = runs->count - 1;

    *pairs = runs->list[first]->pairs;
    while (first > 0 && runs->list[first - 1]->pairs <= 2 * *pairs)
        *pairs += runs->list[--first]->pairs;
    return first;
}

/* One that cannot be made for want of room, or of anything else, can wait; not so what is
 * damaged. */
static enum dbk_code merge(struct runs *runs, const char *dir, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    struct dbk_error why;
    uint64_t pairs;
    size_t first = merge_first(runs, &pairs);

    if (first + 1 < runs->count && check_room(dir, pairs, &why) == DBK_OK)
        code = merge_from(runs, first, dir, &why);
    return code == DBK_DAMAGED ? dbk_fail(err, code, "%s", why.text) : DBK_OK;
}

enum dbk_code runs_append(struct runs *runs, const char *dir,
                          const struct run_place *place, const struct run_pair *pairs,
                          size_t count, struct dbk_error *err)
{
    enum dbk_code code = DBK_OK;
    struct run *run = NULL;

    assert(place->after == runs_end(runs) && place->to > place->after);
    if (runs->count == RUNS_MAX)
        code = merge(runs, dir, err);
    if (code == DBK_OK && runs->count == RUNS_MAX)
        code = dbk_fail(err, DBK_NO_ROOM,
                        "the disk has too little room left for the history index");
    if (code == DBK_OK)
        code = write_run(dir, place, pairs, count, &run, err);
    if (code != DBK_OK)
        return code;
    runs->list[runs->count++] = run;
    return merge(runs, dir, err);
}

static bool is_one_of(const struct runs *runs, uint64_t after, uint64_t to)
{
    for (size_t i = 0; i < runs->count; i++) {
        if (runs->list[i]->place.after == after && runs->list[i]->place.to == to)
            return true;
    }
    return false;
}

void runs_clean(const char *dir, const struct runs *runs)
{
    DIR *stream = opendir(dir);
    struct dirent *entry;
    uint64_t after, to;

    while (stream && (entry = readdir(stream))) {
        if ((read_name(entry->d_name, &after, &to) && !is_one_of(runs, after, to)) ||
            strcmp(entry->d_name, TMP) == 0)
            unlinkat(dirfd(stream), entry->d_name, 0);
    }
    if (stream)
        closedir(stream);
}
