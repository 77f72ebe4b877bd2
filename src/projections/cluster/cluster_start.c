#include "cluster_files.h"
#include "cluster_lock.h"
#include "cluster_private.h"
#include "pg.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { POLL_MS = 20, READY_MS = 60000, FAILURES_MAX = 2, REPLACE_MS = 60000 };
enum { CONNECT_MS = 5000, REFUSED_MAX = 5 };

void cluster_reason(const struct dbk_cluster *cluster, char *text, size_t size)
{
    cluster_log_tail(&cluster->place, text, size);
    if (!*text)
        snprintf(text, size, "it has written no log");
}

static enum dbk_code not_ready(const struct dbk_cluster *cluster, struct dbk_error *err)
{
    char reason[256];

    cluster_reason(cluster, reason, sizeof reason);
    return dbk_fail(err, DBK_TIMEOUT,
                    "the private PostgreSQL does not accept connections; its log %s "
                    "ends: %s",
                    cluster->place.log, reason);
}

static void note_ready(struct dbk_cluster *cluster)
{
    cluster->ready = true;
    cluster->fresh = false;
    cluster->server.deaths = 0;
    cluster_set_trouble(cluster, NULL);
}

/* What lives may be busy with what a crash has left: whoever keeps trying lets it. */
static bool is_worth_waiting(const struct dbk_cluster *cluster, dbk_deadline deadline)
{
    return cluster->server.deaths < FAILURES_MAX &&
           (dbk_deadline_left(deadline) > 0 ||
            (cluster->options.keep_trying && cluster->server.pid > 0));
}

/* A server that accepts connections may find that it cannot serve one: files that only then
 * are read are missing. */
static enum dbk_code get_in(const struct dbk_cluster *cluster, struct dbk_error *err)
{
    const struct pg_options options = {.application = "daybook cluster",
                                       .connect_timeout_ms = CONNECT_MS};
    struct pg *pg;

    if (pg_open(&cluster->database, &options, &pg, err) != DBK_OK)
        return err->code;
    pg_close(pg);
    return DBK_OK;
}

static void forget_damage(struct dbk_cluster *cluster)
{
    pthread_mutex_lock(&cluster->mutex);
    cluster->damages = 0;
    pthread_mutex_unlock(&cluster->mutex);
}

/* Not only since it is starting. */
static bool has_refused(struct dbk_cluster *cluster)
{
    bool refused;

    pthread_mutex_lock(&cluster->mutex);
    refused = cluster->damages >= REFUSED_MAX;
    pthread_mutex_unlock(&cluster->mutex);
    return refused;
}

static enum dbk_code wait_until_ready(struct dbk_cluster *cluster,
                                      struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(READY_MS);

    forget_damage(cluster);
    while (is_worth_waiting(cluster, deadline)) {
        if (cluster_stops(cluster))
            return dbk_fail(err, DBK_INTERRUPTED, "stopped");
        cluster_server_keep(&cluster->server);
        if (cluster->server.pid > 0 && get_in(cluster, err) == DBK_OK) {
            note_ready(cluster);
            return DBK_OK;
        }
        cluster->refuses = has_refused(cluster);
        if (cluster->refuses)
            return dbk_wrap(err, "the private PostgreSQL lets nobody in");
        if (dbk_deadline_left(deadline) == 0 && not_ready(cluster, err) != DBK_OK)
            cluster_set_trouble(cluster, err->text);
        dbk_sleep_ms(POLL_MS);
    }
    return not_ready(cluster, err);
}

/* Under which name what is there is set aside; NULL: it is what these programs can run. */
static const char *aside(const struct dbk_cluster *cluster, const char *damage,
                         char name[64])
{
    const struct cluster_place *place = &cluster->place;
    int version = cluster_version(place), major = cluster->server.programs.major;

    snprintf(name, 64, "%s", CLUSTER_DAMAGED);
    if (damage || !cluster_is_whole(place))
        return name;
    if (major == 0 || version == major)
        return NULL;
    snprintf(name, 64, "postgres.version-%d.%ld", version, (long)time(NULL));
    dbk_watch_say(&cluster->watch, "the cluster is of PostgreSQL %d, installed is %d",
                  version, major);
    return name;
}

/* The one there is, or a new one. Nothing is lost with an old one, its tables come from
 * the log. */
static enum dbk_code provide(struct dbk_cluster *cluster, const char *damage,
                             struct dbk_error *err)
{
    struct cluster_programs *programs = &cluster->server.programs;
    const char *name;
    char text[64];

    if (cluster_programs_find(cluster_version(&cluster->place), programs, err) !=
        DBK_OK)
        return err->code;
    name = aside(cluster, damage, text);
    if (!name)
        return DBK_OK;
    if (damage)
        cluster->replace_at = dbk_deadline_in(REPLACE_MS);
    if (cluster_make(&cluster->place, programs, name, &cluster->watch, err) != DBK_OK)
        return err->code;
    cluster->fresh = true;
    return DBK_OK;
}

static enum dbk_code start_once(struct dbk_cluster *cluster, const char *damage,
                                struct dbk_error *err)
{
    enum dbk_code code = cluster_place_make(&cluster->place, err);

    cluster->server.place = &cluster->place;
    cluster->server.lock = cluster->lock;
    cluster->server.deaths = 0;
    cluster->server.start_at = dbk_deadline_in(0);
    cluster->ready = cluster->refuses = false;
    cluster->wal_mb = 0;
    if (code == DBK_OK)
        code = cluster_server_end_leftover(&cluster->server, &cluster->watch, err);
    if (code == DBK_OK)
        code = provide(cluster, damage, err);
    if (code == DBK_OK && stat(cluster->place.dir, &cluster->files) != 0)
        code = dbk_fail(err, DBK_IO, "%s is gone again", cluster->place.dir);
    if (code == DBK_OK)
        code = wait_until_ready(cluster, err);
    return code;
}

/* What has just been made here does not run for another reason than damage. */
static bool may_be_damaged(const struct dbk_cluster *cluster)
{
    return (cluster->server.deaths >= FAILURES_MAX || cluster->refuses) &&
           !cluster->fresh && dbk_deadline_left(cluster->replace_at) == 0;
}

enum dbk_code cluster_start(struct dbk_cluster *cluster, const char *damage,
                            struct dbk_error *err)
{
    char why[CLUSTER_TEXT];
    enum dbk_code code;

    if (cluster->place.outside && !cluster->ready)
        dbk_watch_say(&cluster->watch,
                      "PostgreSQL cannot reach %s as uid %u: its files are in %s",
                      cluster->data_dir, (unsigned)cluster->place.user.uid,
                      cluster->place.base);
    code = start_once(cluster, damage, err);
    if (code != DBK_OK && code != DBK_INTERRUPTED && may_be_damaged(cluster)) {
        snprintf(why, sizeof why, "%.*s", (int)sizeof why - 1, err->text);
        dbk_watch_say(&cluster->watch, "%s", why);
        cluster_server_end(&cluster->server);
        code = start_once(cluster, why, err);
    }
    cluster->owner = code == DBK_OK;
    if (cluster->owner) {
        dbk_watch_say(&cluster->watch, "private PostgreSQL runs, socket in %s",
                      cluster->place.socket_dir);
    } else {
        cluster_server_end(&cluster->server);
        cluster_lock_disown(cluster->lock);
    }
    return code;
}
