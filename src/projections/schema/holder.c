#include "holder.h"

#include "sql.h"
#include "store/utf8.h"
#include "tables.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUERY_MS = 30000 };
enum column { ID, TEXT, SINCE, HELD, STORE_ID };

/* A start of the machine has a number of its own; where the kernel does not tell it, the
 * name has to do. */
static void name_machine(char *out, size_t size, const char *host)
{
    FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (!file || !fgets(out, (int)size, file))
        snprintf(out, size, "%s", host);
    if (file)
        fclose(file);
    out[strcspn(out, "\n")] = '\0';
}

/* PostgreSQL takes valid text only, and a file's name may be anything. */
static void make_text(char *text)
{
    const char *end = text + strlen(text);

    for (size_t bytes; text < end; text += bytes) {
        uint32_t point;

        bytes = dbk_utf8_decode(text, end, &point);
        if (bytes == 0)
            *text = '?';
        bytes += bytes == 0;
    }
}

void holder_name(const struct dbk_log *log, struct holder *out)
{
    char host[65] = "", machine[65], path[PATH_MAX], file[PATH_MAX + 16];
    struct stat status = {0};

    if (gethostname(host, sizeof host - 1) != 0 || !*host)
        snprintf(host, sizeof host, "unknown");
    name_machine(machine, sizeof machine, host);
    if (!realpath(dbk_log_dir(log), path))
        snprintf(path, sizeof path, "%s", dbk_log_dir(log));
    snprintf(file, sizeof file, "%s/data.mdb", path);
    if (stat(file, &status) != 0)
        status = (struct stat){0};
    snprintf(out->id, sizeof out->id, "%.64s:%llx:%llx", machine,
             (unsigned long long)status.st_dev, (unsigned long long)status.st_ino);
    snprintf(out->text, sizeof out->text, "host %.64s, log %.200s, process %d", host,
             path, (int)getpid());
    make_text(out->id);
    make_text(out->text);
}

enum dbk_code holder_look(struct pg *pg, const char *schema, struct holder_seen *seen,
                          struct dbk_error *err)
{
    static const struct pg_statement look = {NULL, sql_holder_look};
    const struct pg_param param = pg_text(schema);
    struct pg_result *result;
    struct dbk_slice store_id;
    enum dbk_code code = pg_run(pg, &look, &param, 1, QUERY_MS, &result, err);

    *seen = (struct holder_seen){.text = "somebody"};
    if (code != DBK_OK)
        return tables_broken(pg) ? DBK_OK : code;
    if (pg_rows(result) > 0) {
        store_id = pg_value(result, 0, STORE_ID);
        dbk_uuid_parse(store_id.data, store_id.length, &seen->store_id);
        seen->held = pg_bool(result, 0, HELD);
        snprintf(seen->id, sizeof seen->id, "%s", pg_value(result, 0, ID).data);
        snprintf(seen->text, sizeof seen->text, "%s, since %s",
                 pg_value(result, 0, TEXT).data, pg_value(result, 0, SINCE).data);
    }
    pg_clear(result);
    return DBK_OK;
}

enum dbk_code holder_fail(const struct dbk_log *log, const struct dbk_uuid *store_id,
                          const char *text, struct dbk_error *err)
{
    const struct dbk_uuid ours = dbk_log_store_id(log);

    return dbk_fail(
        err, DBK_BUSY,
        "the read tables are held by another server (%s), which has %s: give "
        "this one a DB_SCHEMA or DB_NAME of its own, or stop that one",
        text,
        dbk_uuid_equal(&ours, store_id) ? "a copy of this log, or its original"
                                        : "another log");
}
