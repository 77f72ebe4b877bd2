#include "log_check.h"

#include <inttypes.h>
#include <string.h>

void log_check_keep(void *context, uint64_t sequence, const char *text)
{
    struct log_check *check = context;

    if (check->count == LOG_CHECK_TOLD)
        return;
    check->found[check->count].sequence = sequence;
    snprintf(check->found[check->count].text, sizeof check->found->text, "%s", text);
    check->count++;
}

enum dbk_code log_check_run(struct log_check *check, const char *dir,
                            const char *scratch, struct dbk_keys *keys,
                            struct progress *progress, struct dbk_error *err)
{
    const struct dbk_verify_options options = {.scratch_dir = scratch,
                                               .finding = log_check_keep,
                                               .context = check,
                                               .keys = keys,
                                               .watch = progress_watch(progress, NULL)};
    enum dbk_code code;

    memset(check, 0, sizeof *check);
    code = dbk_log_verify(dir, &options, &check->result, err);
    progress_clear(progress);
    return code;
}

void log_check_tell(const struct log_check *check, FILE *out)
{
    for (size_t i = 0; i < check->count; i++) {
        if (check->found[i].sequence)
            fprintf(out, "record %" PRIu64 ": ", check->found[i].sequence);
        fprintf(out, "%s\n", check->found[i].text);
    }
    if (check->result.findings > check->count)
        fprintf(out, "and %" PRIu64 " more\n", check->result.findings - check->count);
}
