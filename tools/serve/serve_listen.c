/* The steps of a start that concern the port: whether it is free, and the server on it. */
#include "serve_report.h"
#include "serve_settings.h"
#include "serve_steps.h"
#include "server_look.h"

#include <stdio.h>

enum dbk_code serve_check_port(struct serving *serving, struct dbk_error *err)
{
    const char *address = config_text(serving->tool->config, SETTING_HOST);
    unsigned port = (unsigned)config_number(serving->tool->config, SETTING_PORT);

    if (dbk_server_check(address, port, err) != DBK_OK)
        return dbk_wrap(err, "listen on %s port %u", address, port);
    return DBK_OK;
}

enum dbk_code serve_start_server(struct serving *serving, struct dbk_error *err)
{
    struct dbk_server_options options = serve_server_options(serving);
    char ready[256];

    if (dbk_server_start(serving->log, serving->projector, serving->model, &options,
                         &serving->server, err) != DBK_OK)
        return dbk_wrap(err, "listen on %s port %u", options.address, options.port);
    snprintf(ready, sizeof ready,
             "ready: http://%s:%u \xe2\x80\x94 console at /console, docs at /docs",
             options.address, dbk_server_port(serving->server));
    server_look_leave(serving->lock, options.address, dbk_server_port(serving->server));
    serving_say(serving, ready);
    serve_report_manager("READY=1");
    return DBK_OK;
}
