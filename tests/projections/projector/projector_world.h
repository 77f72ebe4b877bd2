/* projector_world.h - a projector on a log and tables of its own, and how much it reads at once. */
#ifndef TEST_PROJECTOR_WORLD_H
#define TEST_PROJECTOR_WORLD_H

#include "faults/wrapped_log_read.h"
#include "naive_fold.h"
#include "projections/migrate.h"
#include "random_commands.h"

#include <pthread.h>
#include <stdatomic.h>

/* How many records a read of the log may give the projector; 0: as many as it wants. */
static _Atomic size_t records_at_once;

enum dbk_code __wrap_dbk_log_read(struct dbk_log *log, uint64_t after,
                                  size_t max_records, size_t max_bytes,
                                  struct dbk_batch *batch, struct dbk_error *err)
{
    size_t most = records_at_once;

    return __real_dbk_log_read(log, after,
                               most && most < max_records ? most : max_records,
                               max_bytes, batch, err);
}

static inline int make_world(void **state)
{
    records_at_once = 0;
    *state = world_make("projector_test");
    return 0;
}

#define IN_A_WORLD(test)                                                               \
    cmocka_unit_test_setup_teardown(test, make_world, world_teardown)

#endif
