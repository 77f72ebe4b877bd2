/* look.c - tells what is in logs: reads directories from stdin, one a line, and answers each
 * with a line of JSON. First it verifies, then it opens for writing, as a server would.
 *
 *     {"refused": "why"}                                        it cannot be opened
 *     {"findings": 0, "head": 3, "checksums": [17, 4, 711]}     of every record, in order
 */
#include "store/log.h"
#include "store/verify.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

static enum dbk_code verify(const char *dir, uint64_t *findings, struct dbk_error *err)
{
    struct dbk_verify_options options = {0};
    struct dbk_verify_result result;
    char scratch[PATH_MAX];

    snprintf(scratch, sizeof scratch, "%.4000s.verify", dir);
    options.scratch_dir = scratch;
    if (dbk_log_verify(dir, &options, &result, err) != DBK_OK)
        return err->code;
    *findings = result.findings;
    return DBK_OK;
}

static void print(const struct dbk_batch *batch, uint64_t findings)
{
    printf("{\"findings\": %" PRIu64 ", \"head\": %zu, \"checksums\": [", findings,
           batch->count);
    for (size_t i = 0; i < batch->count; i++)
        printf("%s%" PRIu32, i ? ", " : "", batch->entries[i].checksum);
    puts("]}");
}

static enum dbk_code look(const char *dir, struct dbk_error *err)
{
    struct dbk_log_options options = {.map_size = (size_t)1 << 30};
    struct dbk_batch batch = {0};
    uint64_t findings = 0, head = 0;
    struct dbk_log *log;
    enum dbk_code code = verify(dir, &findings, err);

    if (code != DBK_OK && code != DBK_NOT_FOUND) /* then it can be made */
        return code;
    if (dbk_log_open(dir, &options, &log, err) != DBK_OK)
        return err->code;
    code = dbk_log_head(log, &head, err);
    if (code == DBK_OK)
        code = dbk_log_read(log, 0, SIZE_MAX, SIZE_MAX, &batch, err);
    if (code == DBK_OK && batch.count != head)
        code = dbk_fail(err, DBK_DAMAGED, "the head is not the last record");
    if (code == DBK_OK)
        print(&batch, findings);
    dbk_batch_finish(&batch);
    dbk_log_close(log);
    return code;
}

int main(void)
{
    char line[PATH_MAX];
    struct dbk_error err;

    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (look(line, &err) != DBK_OK) {
            for (char *c = err.text; *c; c++)
                *c = *c == '"' || *c == '\\' ? '\'' : *c;
            printf("{\"refused\": \"%s\"}\n", err.text);
        }
        fflush(stdout);
    }
    return 0;
}
