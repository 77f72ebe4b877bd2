#include "verify_log.h"

#include "escape.h"
#include "plural.h"
#include "tool_data.h"
#include "tool_keys.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static void tell(void *context, uint64_t sequence, const char *text)
{
    struct verify_log *verify = context;

    progress_clear(verify->progress);
    if (verify->lines && sequence > 0)
        fprintf(verify->lines, "record %" PRIu64 ": ", sequence);
    if (verify->lines) {
        escape_plain(verify->lines, dbk_slice(text));
        fputc('\n', verify->lines);
    }
    fprintf(verify->json,
            "%s{\"sequence\":%" PRIu64 ",\"text\":", verify->json_any ? "," : "",
            sequence);
    escape_string(verify->json, text);
    fputc('}', verify->json);
    verify->json_any = true;
}

/* A log can be checked on a read-only medium too. */
static enum dbk_code find_elsewhere(struct verify_log *verify, struct dbk_error *err)
{
    const char *tmp = getenv("TMPDIR");
    int length = snprintf(verify->elsewhere, sizeof verify->elsewhere,
                          "%s/daybook-verify-XXXXXX", tmp && *tmp ? tmp : "/tmp");

    if ((size_t)length < sizeof verify->elsewhere && mkdtemp(verify->elsewhere))
        return DBK_OK;
    *verify->elsewhere = '\0';
    return dbk_fail(
        err, DBK_IO,
        "the data directory cannot be written, and no folder can be made in "
        "TMPDIR either: %s",
        (size_t)length < sizeof verify->elsewhere ? strerror(errno)
                                                  : "its path is too long");
}

/* Never more than the log takes: about as much as its indexes, of which it has its own. */
static uint64_t needed(const char *log)
{
    char path[PATH_MAX];
    struct stat file;
    int length = snprintf(path, sizeof path, "%s/data.mdb", log);

    return length < 0 || (size_t)length >= sizeof path || stat(path, &file) != 0
               ? 0
               : (uint64_t)file.st_blocks * 512;
}

static uint64_t left(const char *dir)
{
    struct statvfs disk;

    return statvfs(dir, &disk) != 0 ? 0 : (uint64_t)disk.f_bavail * disk.f_frsize;
}

/* On a full disk it lies in TMPDIR, where that has more room. */
static bool is_better_elsewhere(const char *dir, const char *log)
{
    const char *tmp = getenv("TMPDIR");

    return left(dir) < needed(log) && left(tmp && *tmp ? tmp : "/tmp") > left(dir);
}

static enum dbk_code name_dirs(struct verify_log *verify, const struct tool *tool,
                               char *log, char *scratch, size_t size,
                               struct dbk_error *err)
{
    const char *dir = config_text(tool->config, SETTING_DATA_DIR);
    int length;

    if (!tool_log_dir(tool->config, log, size, err))
        return err->code;
    if ((access(dir, W_OK) != 0 && errno != ENOENT) || is_better_elsewhere(dir, log)) {
        if (find_elsewhere(verify, err) != DBK_OK)
            return err->code;
        dir = verify->elsewhere;
    }
    length = snprintf(scratch, size, "%s/verify.tmp", dir);
    if (length < 0 || (size_t)length >= size)
        return dbk_fail(err, DBK_INVALID, "the data directory's path is too long");
    return DBK_OK;
}

/* Damage that keeps it from it is found, and told, by the check that follows. */
static enum dbk_code repair_indexes(struct verify_log *verify, const char *dir,
                                    struct dbk_keys *keys,
                                    const struct dbk_watch *watch,
                                    struct dbk_error *err)
{
    enum dbk_code code = dbk_log_repair_indexes(dir, keys, watch, err);

    if (code != DBK_DAMAGED)
        return code;
    snprintf(verify->not_repaired, sizeof verify->not_repaired, "%s", err->text);
    return DBK_OK;
}

/* Whoever has none checks what is in the clear. */
static struct dbk_keys *open_ring(struct verify_log *verify, const struct tool *tool,
                                  struct dbk_error *why)
{
    struct dbk_keys *keys;

    verify->ring_broken = tool_keys_there(tool->config);
    if (verify->ring_broken && tool_keys_open(tool, true, &keys, why) == DBK_OK) {
        verify->ring_broken = false;
        return keys;
    }
    if (!verify->ring_broken)
        dbk_fail(why, DBK_NOT_FOUND, "its ring of keys is not in %.300s/keys",
                 config_text(tool->config, SETTING_DATA_DIR));
    return NULL;
}

static void note_shut(struct verify_log *verify, const struct dbk_error *why)
{
    if (!verify->result.shut) {
        verify->ring_broken = false;
        return;
    }
    snprintf(
        verify->shut, sizeof verify->shut,
        "%s; so what is sealed, whether records can follow each other, and the indexes "
        "were not checked",
        why->text);
}

enum dbk_code verify_log_run(struct verify_log *verify, const struct tool *tool,
                             bool repair, struct progress *progress, FILE *lines,
                             struct dbk_error *err)
{
    char dir[4096], scratch[4096];
    struct dbk_verify_options options = {.scratch_dir = scratch,
                                         .finding = tell,
                                         .context = verify,
                                         .watch = progress_watch(progress, NULL)};
    struct dbk_error why = {.text = "its ring of keys is not as the log needs it"};
    enum dbk_code code;

    *verify = (struct verify_log){.progress = progress, .lines = lines};
    verify->json = open_memstream(&verify->json_text, &verify->json_size);
    if (!verify->json)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    code = name_dirs(verify, tool, dir, scratch, sizeof dir, err);
    if (code == DBK_OK)
        options.keys = open_ring(verify, tool, &why);
    if (code == DBK_OK && repair)
        code = repair_indexes(verify, dir, options.keys, &options.watch, err);
    if (code == DBK_OK)
        code = dbk_log_verify(dir, &options, &verify->result, err);
    dbk_keys_close(options.keys);
    if (code == DBK_OK)
        note_shut(verify, &why);
    if (code == DBK_NO_ROOM)
        dbk_wrap(
            err,
            "the check makes the indexes anew, in %s, which may take up to %" PRIu64
            " MiB: set TMPDIR to a folder on a disk that has them",
            scratch, (needed(dir) >> 20) + 1);
    if (*verify->elsewhere)
        rmdir(verify->elsewhere);
    progress_clear(progress);
    return code;
}

void verify_log_finish(struct verify_log *verify)
{
    if (verify->json)
        fclose(verify->json);
    free(verify->json_text);
    *verify = (struct verify_log){0};
}

void verify_log_print(const struct verify_log *verify, FILE *out)
{
    const struct dbk_verify_result *result = &verify->result;

    if (result->findings == 0)
        fprintf(out, "log           right: %s%s\n",
                plural(result->records, "records").text,
                result->shut           ? ", as far as they are in the clear"
                : result->records == 1 ? " and its indexes"
                                       : " and their indexes");
    else if (!result->readable) /* how many there are, and are right, is not known */
        fprintf(out, "log           %s; it cannot be read to its end\n",
                plural(result->findings, "findings").text);
    else
        fprintf(out, "log           %s, %" PRIu64 " of %s right\n",
                plural(result->findings, "findings").text, result->records,
                plural(result->head, "records").text);
    if (result->member)
        fprintf(out,
                "member        of a cluster: next message %" PRId64 ", epoch %" PRId64
                "\n",
                result->place.next, result->place.epoch);
    if (*verify->shut)
        fprintf(out, "sealed        %s\n", verify->shut);
    if (*verify->not_repaired)
        fprintf(out, "indexes       not made anew: %s\n", verify->not_repaired);
    else if (result->findings > 0 && result->whole && !*verify->shut &&
             result->records == result->head)
        fputs("next          daybook verify --repair-indexes makes the indexes anew\n",
              out);
}

static void print_member(const struct dbk_verify_result *result, FILE *out)
{
    if (result->member)
        fprintf(out,
                ",\"member\":{\"next\":%" PRId64 ",\"epoch\":%" PRId64
                ",\"reseed\":%" PRId64 "}",
                result->place.next, result->place.epoch, result->place.reseed);
    else
        fputs(",\"member\":null", out);
}

void verify_log_print_json(struct verify_log *verify, FILE *out)
{
    const struct dbk_verify_result *result = &verify->result;
    char store_id[DBK_UUID_TEXT + 1];

    fflush(verify->json);
    dbk_uuid_format(&result->store_id, store_id);
    fprintf(out,
            "\"store_id\":\"%s\",\"head\":%" PRIu64 ",\"records\":%" PRIu64
            ",\"finding_count\":%" PRIu64 ",\"findings\":[%s]",
            store_id, result->head, result->records, result->findings,
            verify->json_text ? verify->json_text : "");
    print_member(result, out);
    fputs(",\"shut\":", out);
    if (*verify->shut)
        escape_string(out, verify->shut);
    else
        fputs("null", out);
    fputs(",\"not_repaired\":", out);
    if (*verify->not_repaired)
        escape_string(out, verify->not_repaired);
    else
        fputs("null", out);
}
