#include "store/verify.h"

#include "checker.h"
#include "log_builder_private.h"
#include "sandbox.h"

static enum dbk_code check(const void *dir, const struct dbk_verify_options *options,
                           struct dbk_verify_result *result, struct dbk_error *err)
{
    return dbk_check_log(dir, options, result, err);
}

enum dbk_code dbk_log_verify(const char *dir, const struct dbk_verify_options *options,
                             struct dbk_verify_result *result, struct dbk_error *err)
{
    enum dbk_code code;
    uint64_t died_at;

    dbk_log_builder_remove(options->scratch_dir);
    code = dbk_sandbox(check, dir, options, result, &died_at, err);
    dbk_log_builder_remove(options->scratch_dir); /* one that died leaves it */
    if (code != DBK_OK || died_at == 0)
        return code;
    result->findings++; /* that the file kills its reader is one */
    if (options->finding)
        options->finding(options->context, died_at,
                         "the file's structure is damaged: reading from about here on "
                         "ended the reader; restore from a backup");
    return DBK_OK;
}
