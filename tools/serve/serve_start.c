/* The start of `daybook serve`. */
#include "serve_start.h"

#include "serve_steps.h"
#include "signals.h"

enum dbk_code serve_start(struct serving *serving, struct dbk_error *err)
{
    static enum dbk_code (*const steps[])(struct serving *, struct dbk_error *) = {
        serve_take_lock,       serve_check_port,      serve_check_cluster,
        serve_open_log,        serve_check_retention, serve_check_copy,
        serve_open_database,   serve_start_projector, serve_await_projection,
        serve_open_read_model, serve_start_history,   serve_start_notary,
        serve_join_cluster,    serve_start_expiry,    serve_start_server,
    };

    for (size_t i = 0; i < sizeof steps / sizeof *steps && !signals_came(); i++) {
        if (steps[i](serving, err) != DBK_OK)
            return err->code == DBK_INTERRUPTED ? DBK_OK : err->code;
    }
    return DBK_OK;
}
