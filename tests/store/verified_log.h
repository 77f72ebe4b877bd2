/* verified_log.h - a log in which dbk_log_verify finds nothing wrong. */
#ifndef VERIFIED_LOG_H
#define VERIFIED_LOG_H

#include "scratch_log.h"
#include "store/verify.h"

static inline void verified_wrong(void *context, uint64_t sequence, const char *text)
{
    (void)context;
    fail_msg("record %llu: %s", (unsigned long long)sequence, text);
}

/* What the log's records imply is what is in its indexes; what else was found out. keys: of a
 * sealed one. */
static inline struct dbk_verify_result assert_verified_with(const char *dir,
                                                            struct dbk_keys *keys)
{
    struct dbk_verify_options options = {.finding = verified_wrong, .keys = keys};
    struct dbk_verify_result result;
    struct dbk_error err;
    char scratch[160];

    snprintf(scratch, sizeof scratch, "%s/verify.tmp", dir);
    options.scratch_dir = scratch;
    assert_int_equal(dbk_log_verify(dir, &options, &result, &err), DBK_OK);
    assert_int_equal(result.findings, 0);
    return result;
}

static inline struct dbk_verify_result assert_verified(const char *dir)
{
    return assert_verified_with(dir, NULL);
}

#endif
