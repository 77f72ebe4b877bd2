#include "http/server.h"

#include "access.h"
#include "budget.h"
#include "civetweb_settings.h"
#include "dispatch.h"
#include "feed.h"
#include "forward.h"
#include "guard.h"
#include "lending.h"
#include "limiter.h"
#include "listen.h"
#include "mismatches.h"
#include "parked.h"
#include "quota.h"
#include "readers.h"
#include "rebuilder.h"
#include "spares.h"
#include "store/clock.h"
#include "store/thread.h"
#include "tap.h"
#include "untold.h"
#include "worker.h"

#include <assert.h>
#include <civetweb.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdlib.h>

#define DRAIN_IDLE_MS 300    /* how long a connection may idle once we are stopping */
#define DRAIN_REFUSE_MS 1000 /* how long those that keep coming are told so */
#define DRAIN_STEP_MS 10
#define OPEN_STEP_MS 1

struct dbk_server {
    struct service service;
    struct limiter limiter;
    struct untold untold;
    struct mismatches mismatches;
    struct budget budget;
    struct spares spares;
    struct readers readers;
    struct lending *lending; /* NULL: no connection is lent */
    struct mg_context *context;
    unsigned port;
    atomic_bool open;              /* requests are answered; until then they wait */
    atomic_uint under_way;         /* requests that were accepted, and not answered */
    pthread_t starter;             /* the thread that starts it, */
    struct dbk_error *start_error; /* and where civetweb's words to it go meanwhile */
};

static struct dbk_server *server_of(const struct mg_connection *connection)
{
    return mg_get_user_data(mg_get_context(connection));
}

static void wait_for_doors(const struct dbk_server *server)
{
    while (!atomic_load(&server->open))
        dbk_sleep_ms(OPEN_STEP_MS);
}

/* Counted before looking, so that the stop waits for all that did not see it. */
static int answer(void *context, struct worker *worker,
                  struct mg_connection *connection, struct lent *lent)
{
    struct dbk_server *server = context;
    bool accepted;
    int status;

    atomic_fetch_add(&server->under_way, 1);
    accepted = !atomic_load(&server->service.stopping);
    if (!accepted)
        atomic_fetch_sub(&server->under_way, 1);
    status = dispatch(&server->service, worker, connection, lent);
    if (accepted)
        atomic_fetch_sub(&server->under_way, 1);
    return status;
}

/* As answer, in two halves: who is under way is until the second. That it is stopping is
 * looked at behind it, so one that waits for the log was accepted. */
static bool begin(void *context, struct write_place *place, struct lent *lent)
{
    struct dbk_server *server = context;
    bool waits;

    atomic_fetch_add(&server->under_way, 1);
    waits = dispatch_begin(&server->service, place, lent);
    if (!waits)
        atomic_fetch_sub(&server->under_way, 1);
    return waits;
}

static void end(void *context, struct write_place *place, enum dbk_code code,
                const struct dbk_error *err)
{
    struct dbk_server *server = context;

    dispatch_end(place, code, err);
    atomic_fetch_sub(&server->under_way, 1);
}

static int on_request(struct mg_connection *connection)
{
    struct dbk_server *server = server_of(connection);
    struct worker *worker = mg_get_thread_pointer(connection);
    int status;

    if (!worker) { /* the thread began without memory; civetweb cannot be told so */
        mg_disable_connection_keep_alive(connection);
        return 503;
    }
    wait_for_doors(server);
    tap_inside(true);
    status = answer(server, worker, connection, NULL);
    if (server->lending)
        lending_lend(worker); /* it looks at the head, */
    tap_inside(false);        /* which is gone from here on */
    assert(status != 0);      /* else civetweb would answer, too */
    return status;
}

static int on_connection(const struct mg_connection *connection, void **data)
{
    tap_open();
    guard_arrived(server_of(connection)->service.guard);
    *data = NULL;
    return 0;
}

static void on_close(const struct mg_connection *connection)
{
    tap_close();
    guard_end(mg_get_user_connection_data(connection));
    guard_left(server_of(connection)->service.guard);
}

static void *on_thread(const struct mg_context *context, int type)
{
    const struct dbk_server *server = mg_get_user_data(context);
    struct reactor_seat *seats[TAP_SEATS] = {NULL};
    struct worker *worker;

    dbk_thread_name(type == 1 ? "dbk-worker" : "dbk-listener");
    if (type != 1)
        return NULL;
    worker = worker_create();
    if (server->lending && worker)
        lending_join(server->lending, worker, seats);
    tap_start(civetweb_settings_head_ms(&server->service.options),
              &server->service.stopping, seats);
    return worker;
}

static void on_thread_end(const struct mg_context *context, int type, void *worker)
{
    (void)context;
    if (type != 1)
        return;
    tap_finish();
    worker_destroy(worker);
}

static int on_message(const struct mg_connection *connection, const char *message)
{
    struct dbk_server *server = server_of(connection);
    const struct dbk_server_options *options;

    if (!server)
        return 1;
    options = &server->service.options;
    /* Only that thread looks at it: others run before it is done with it. */
    if (pthread_equal(pthread_self(), server->starter) && server->start_error)
        dbk_fail(server->start_error, DBK_INVALID, "%s", message);
    else if (options->report)
        options->report(options->report_context, message);
    return 1;
}

static enum dbk_code start_civetweb(struct dbk_server *server, struct dbk_error *err)
{
    static const struct mg_callbacks callbacks = {
        .begin_request = on_request,
        .init_connection = on_connection,
        .connection_close = on_close,
        .init_thread = on_thread,
        .exit_thread = on_thread_end,
        .log_message = on_message,
    };
    struct mg_server_port port;
    struct civetweb_settings settings;

    civetweb_settings_check(&server->service.options);
    civetweb_settings_fill(&settings, &server->service.options);
    dbk_fail(err, DBK_INVALID, "civetweb does not start");
    server->starter = pthread_self();
    server->start_error = err;
    server->context = mg_start(&callbacks, server, settings.list);
    server->start_error = NULL;
    if (!server->context)
        return dbk_wrap(err, "listen on %s", settings.listen);
    if (mg_get_server_ports(server->context, 1, &port) == 1)
        server->port = (unsigned)port.port;
    guard_listens(server->service.guard, (int)server->port);
    *err = (struct dbk_error){0};
    return DBK_OK;
}

/* Some threads are left for the others, however few there are. */
static unsigned address_bound(const struct dbk_server_options *options)
{
    unsigned most = options->threads - (options->threads + 3) / 4;

    if (options->address_connections_max == 0)
        return 0;
    if (most == 0)
        most = 1;
    return options->address_connections_max < most ? options->address_connections_max
                                                   : most;
}

static void look_at_leaders(void *context)
{
    const struct dbk_server *server = context;

    if (server->lending)
        lending_look(server->lending);
}

static void fill_service(struct dbk_server *server, struct dbk_log *log,
                         struct dbk_projector *projector, struct dbk_read_model *model,
                         const struct dbk_server_options *options)
{
    struct service *service = &server->service;
    const struct lending_answers answers = {answer, begin, end, server};

    limiter_init(&server->limiter);
    service->limiter = &server->limiter;
    service->quota = quota_create();
    untold_init(&server->untold, options->report, options->report_context);
    service->untold = &server->untold;
    mismatches_init(&server->mismatches, options->report, options->report_context);
    service->mismatches = &server->mismatches;
    budget_init(&server->budget, options->bodies_max);
    service->budget = &server->budget;
    spares_init(&server->spares);
    service->spares = &server->spares;
    readers_init(&server->readers, options->threads);
    service->readers = &server->readers;
    service->log = log;
    service->projector = projector;
    service->model = model;
    service->options = *options;
    service->rules.event_types = options->event_types;
    service->parked = parked_create();
    service->guard = guard_create(options->threads, civetweb_settings_queue(options),
                                  address_bound(options), service->parked);
    service->rebuilder = rebuilder_create(log, &service->options);
    if (options->membership && options->membership->forward)
        service->forward = forward_create();
    atomic_init(&service->stopping, false);
    if (!options->membership) /* else a read waits for the other members */
        server->lending = lending_create(service, &answers);
    if (server->lending && service->guard)
        guard_beside(service->guard, look_at_leaders, server);
}

static void stop_civetweb(struct dbk_server *server)
{
    struct listen_waker waker;

    listen_wake(&waker, server->service.options.address, server->port);
    mg_stop(server->context);
    listen_wake_end(&waker);
}

/* A start that fails here lets nobody in: those that wait get their 503. */
static enum dbk_code open_doors(struct dbk_server *server, struct dbk_error *err)
{
    const struct dbk_server_options *options = &server->service.options;
    enum dbk_code code = DBK_OK;

    if (options->bound)
        code = options->bound(options->bound_context, err);
    atomic_store(&server->service.stopping, code != DBK_OK);
    atomic_store(&server->open, true);
    if (code != DBK_OK) {
        guard_drain(server->service.guard, DRAIN_IDLE_MS);
        stop_civetweb(server);
    }
    return code;
}

static enum dbk_code open_access(struct service *service, struct dbk_error *err)
{
    const struct dbk_server_options *options = &service->options;
    struct access_options access = {.dir = options->tokens_dir,
                                    .required = options->require_tokens,
                                    .address = options->address,
                                    .cors_origins = options->cors_origins,
                                    .report = options->report,
                                    .report_context = options->report_context};

    return access_create(&access, &service->access, err);
}

static enum dbk_code open_feed(struct service *service, struct dbk_error *err)
{
    const struct feed_options options = {
        .log = service->log,
        .access = service->access,
        .parked = service->parked,
        .streams_max = civetweb_settings_streams(&service->options),
        .address_max = service->options.address_connections_max};

    return feed_create(&options, &service->feed, err);
}

static void destroy(struct dbk_server *server)
{
    feed_destroy(server->service.feed);
    rebuilder_destroy(server->service.rebuilder);
    access_destroy(server->service.access);
    guard_destroy(server->service.guard);
    parked_destroy(server->service.parked);
    limiter_finish(&server->limiter);
    quota_destroy(server->service.quota);
    untold_finish(&server->untold);
    mismatches_finish(&server->mismatches);
    readers_finish(&server->readers);
    spares_finish(&server->spares);
    forward_destroy(server->service.forward);
    lending_destroy(server->lending);
    free(server);
}

enum dbk_code dbk_server_check(const char *address, unsigned port,
                               struct dbk_error *err)
{
    return listen_check(address, port, err);
}

enum dbk_code dbk_server_start(struct dbk_log *log, struct dbk_projector *projector,
                               struct dbk_read_model *model,
                               const struct dbk_server_options *options,
                               struct dbk_server **server, struct dbk_error *err)
{
    struct dbk_server *made;

    *server = NULL;
    if (listen_check(options->address, options->port, err) != DBK_OK)
        return err->code;
    if (sodium_init() < 0)
        return dbk_fail(err, DBK_IO, "libsodium does not start");
    made = calloc(1, sizeof *made);
    if (!made)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for a server");
    fill_service(made, log, projector, model, options);
    if (options->membership && options->membership->forward && !made->service.forward) {
        destroy(made);
        return forward_built()
                   ? dbk_fail(err, DBK_NO_MEMORY, "no memory to send writes on")
                   : dbk_fail(err, DBK_UNSUPPORTED,
                              "writes cannot be sent on to the leader "
                              "(CLUSTER_FORWARD): this program was built without "
                              "libcurl; install libcurl4-openssl-dev and build again");
    }
    if (!made->service.guard || !made->service.quota || !made->service.parked ||
        !made->service.rebuilder)
        dbk_fail(err, DBK_NO_MEMORY, "no memory or thread to serve connections");
    else if (open_access(&made->service, err) == DBK_OK &&
             open_feed(&made->service, err) == DBK_OK &&
             start_civetweb(made, err) == DBK_OK && open_doors(made, err) == DBK_OK)
        *server = made;
    if (*server)
        return DBK_OK;
    destroy(made);
    return err->code;
}

unsigned dbk_server_port(const struct dbk_server *server)
{
    return server->port;
}

/* Requests that were accepted are waited for. Connections, which are being refused or
 * closed, only for a while: others may keep coming for as long as they like. One that has
 * a thread and no request yet is not guarded; it gets as long as one that idles. So does
 * one that took its answer slowly, to say what it asked meanwhile: were it cut between the
 * two, what it has not read would be lost with its connection. */
static void wait_until_quiet(struct dbk_server *server, int drain_ms)
{
    int64_t start = dbk_clock_ms(), now = start, slow = start - DRAIN_IDLE_MS;
    struct guard *guard = server->service.guard;
    bool writes = false, wrote;

    for (; now < start + drain_ms; now = dbk_clock_ms()) {
        bool connected = guard_count(guard) > 0 ||
                         (now < start + DRAIN_IDLE_MS && guard_arrivals(guard) > 0);
        wrote = writes;
        writes = guard_writes(guard);
        if (writes && wrote)
            slow = now;
        if (atomic_load(&server->under_way) == 0 && !writes &&
            (!connected ||
             (now >= start + DRAIN_REFUSE_MS && now >= slow + DRAIN_IDLE_MS)))
            return;
        dbk_sleep_ms(DRAIN_STEP_MS);
    }
}

/* A write may be on its way to machines that do not answer. */
static void leave_others(const struct service *service)
{
    const struct dbk_membership *membership = service->options.membership;

    if (membership && membership->leave)
        membership->leave(membership->context);
}

/* Clients that keep their connections get their 503 and the end of the connection with
 * their next request; those that idle are ended by the guard. Only then may civetweb
 * stop, for it drops answers under way. */
void dbk_server_stop(struct dbk_server *server, int drain_ms)
{
    if (!server)
        return;
    atomic_store(&server->service.stopping, true);
    rebuilder_close(server->service.rebuilder);
    guard_drain(server->service.guard, DRAIN_IDLE_MS);
    feed_stop(server->service.feed);
    wait_until_quiet(server, drain_ms);
    forward_stop(server->service.forward);
    leave_others(&server->service);
    guard_cut(server->service.guard);
    stop_civetweb(server);
    destroy(server);
}
