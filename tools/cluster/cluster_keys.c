#include "cluster_keys.h"

#include "tool_keys.h"

enum dbk_code cluster_keys_check(const struct config *config, struct dbk_error *err)
{
    struct tool_keys_place place;
    enum dbk_code code = tool_keys_find(config, &place, err);

    if (code != DBK_OK || place.master[0])
        return code;
    return dbk_fail(
        err, DBK_INVALID,
        "the members of a cluster with a sealed log have one master key: put "
        "the same file on each (openssl rand -hex 32; for a log that is there "
        "what was DATA_DIR/keys/master), and name it in MASTER_KEY_FILE; or, "
        "where a log is made, set SEALED=false");
}

enum dbk_code cluster_keys_make(const struct tool *tool,
                                const struct dbk_replica_options *options,
                                int timeout_ms, struct dbk_keys **keys,
                                struct dbk_error *err)
{
    struct tool_keys_place place;
    struct dbk_keys_options how = {.master = place.master};

    *keys = NULL;
    if (cluster_keys_check(tool->config, err) != DBK_OK ||
        tool_keys_find(tool->config, &place, err) != DBK_OK ||
        dbk_replica_ring(options, timeout_ms, place.dir, &how, err) != DBK_OK)
        return err->code;
    return tool_keys_make(tool, keys, err); /* which is there */
}
