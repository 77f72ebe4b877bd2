#include "caught_up.h"

#include "cluster_options.h"
#include "store/clock.h"
#include "store/replicated.h"

#include <inttypes.h>
#include <stdlib.h>

enum { ASK_MS = 10000, WAIT_MS = 10000, LOOK_MS = 100 };

static enum dbk_code find_end(const struct config *config, int64_t *end,
                              struct dbk_error *err)
{
    struct cluster_options *options = calloc(1, sizeof *options);
    struct dbk_replica_members members = {0};
    enum dbk_code code = DBK_NO_MEMORY;

    if (!options)
        return dbk_fail(err, code, "no memory to ask the brokers");
    code = cluster_options_read(config, options, err);
    if (code == DBK_OK)
        code = dbk_replica_members(&options->replica, ASK_MS, &members, err);
    *end = members.end;
    dbk_replica_members_finish(&members);
    free(options);
    return code;
}

enum dbk_code caught_up_wait(const struct config *config, struct dbk_log *log,
                             struct dbk_error *err)
{
    dbk_deadline deadline;
    struct dbk_place place;
    enum dbk_code code;
    int64_t end;

    if (find_end(config, &end, err) != DBK_OK)
        return err->code;
    deadline = dbk_deadline_in(WAIT_MS);
    while ((code = dbk_log_place(log, &place, err)) == DBK_OK && place.next < end) {
        if (dbk_deadline_left(deadline) == 0)
            return dbk_fail(err, DBK_CONFLICT,
                            "this member is %" PRId64 " messages of the topic behind",
                            end - place.next);
        dbk_sleep_ms(LOOK_MS);
    }
    return code;
}
