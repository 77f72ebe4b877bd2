/* include/replica, where the program is built without librdkafka: each call says so. */
#include "replica/relay.h"
#include "replica/replica.h"
#include "replica_built.h"

#include <string.h>

enum dbk_code replica_check_built(struct dbk_error *err)
{
    return dbk_fail(err, DBK_UNSUPPORTED,
                    "this daybook was built without librdkafka, which more than one "
                    "machine takes: install librdkafka-dev, and build it again");
}

enum dbk_code dbk_replica_check(const struct dbk_replica_options *options,
                                int timeout_ms, struct dbk_replica_found *found,
                                struct dbk_error *err)
{
    (void)options;
    (void)timeout_ms;
    (void)found;
    return replica_check_built(err);
}

enum dbk_code dbk_replica_ring(const struct dbk_replica_options *options,
                               int timeout_ms, const char *dir,
                               const struct dbk_keys_options *keys,
                               struct dbk_error *err)
{
    (void)options;
    (void)timeout_ms;
    (void)dir;
    (void)keys;
    return replica_check_built(err);
}

enum dbk_code dbk_replica_init(struct dbk_log *log,
                               const struct dbk_replica_options *options,
                               unsigned replication, struct dbk_error *err)
{
    (void)log;
    (void)options;
    (void)replication;
    return replica_check_built(err);
}

enum dbk_code dbk_replica_start(struct dbk_log *log,
                                const struct dbk_replica_options *options,
                                struct dbk_replica **replica, struct dbk_error *err)
{
    (void)log;
    (void)options;
    *replica = NULL;
    return replica_check_built(err);
}

void dbk_replica_leave(struct dbk_replica *replica)
{
    (void)replica;
}

void dbk_replica_stop(struct dbk_replica *replica)
{
    (void)replica;
}

void dbk_replica_look(struct dbk_replica *replica, struct dbk_replica_status *out)
{
    (void)replica;
    memset(out, 0, sizeof *out);
}

enum dbk_code dbk_replica_fresh(struct dbk_replica *replica, int timeout_ms,
                                struct dbk_error *err)
{
    (void)replica;
    (void)timeout_ms;
    return replica_check_built(err);
}

enum dbk_code dbk_replica_hand_over(struct dbk_replica *replica, const char *node,
                                    int timeout_ms, struct dbk_error *err)
{
    (void)replica;
    (void)node;
    (void)timeout_ms;
    return replica_check_built(err);
}

enum dbk_code dbk_replica_send_tokens(struct dbk_replica *replica,
                                      struct dbk_slice changes, struct dbk_error *err)
{
    (void)replica;
    (void)changes;
    return replica_check_built(err);
}

enum dbk_code dbk_replica_members(const struct dbk_replica_options *options,
                                  int timeout_ms, struct dbk_replica_members *out,
                                  struct dbk_error *err)
{
    (void)options;
    (void)timeout_ms;
    memset(out, 0, sizeof *out);
    return replica_check_built(err);
}

void dbk_replica_members_finish(struct dbk_replica_members *members)
{
    (void)members;
}

enum dbk_code dbk_replica_reseed(struct dbk_log *log,
                                 const struct dbk_replica_options *options,
                                 uint64_t *sent, struct dbk_error *err)
{
    (void)log;
    (void)options;
    *sent = 0;
    return replica_check_built(err);
}

enum dbk_code dbk_relay_run(struct dbk_log *log,
                            const struct dbk_relay_options *options, uint64_t *sent,
                            struct dbk_error *err)
{
    (void)log;
    (void)options;
    *sent = 0;
    return replica_check_built(err);
}
