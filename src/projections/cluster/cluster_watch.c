#include "cluster_files.h"
#include "cluster_lock.h"
#include "cluster_private.h"
#include "cluster_room.h"
#include "pg.h"
#include "scrub_wal.h"
#include "sql.h"

#include <stdio.h>
#include <string.h>

enum { WATCH_MS = 100, LOOK_MS = 500, BOUND_MS = 60000, STATEMENT_MS = 5000 };
enum { AGAIN_MIN_MS = 1000, AGAIN_MAX_MS = 30000, DEATHS_MAX = 2, DAMAGES_MAX = 10 };

/* False when it is to stop. */
static bool sleep_until_stopped(struct dbk_cluster *cluster, int ms)
{
    dbk_deadline deadline = dbk_deadline_in(ms);
    bool go_on;

    pthread_mutex_lock(&cluster->mutex);
    while (!cluster->stopping &&
           dbk_cond_wait(&cluster->changed, &cluster->mutex, deadline))
        ;
    go_on = !cluster->stopping;
    pthread_mutex_unlock(&cluster->mutex);
    return go_on;
}

static void set_tried(struct dbk_cluster *cluster)
{
    pthread_mutex_lock(&cluster->mutex);
    cluster->tried = true;
    pthread_cond_broadcast(&cluster->changed);
    pthread_mutex_unlock(&cluster->mutex);
}

/* It does not run, or runs again: told where that is news. */
static void fail(struct dbk_cluster *cluster, const struct dbk_error *err)
{
    char before[CLUSTER_TEXT];

    if (err->code == DBK_INTERRUPTED)
        return;
    pthread_mutex_lock(&cluster->mutex);
    memcpy(before, cluster->trouble, sizeof before);
    pthread_mutex_unlock(&cluster->mutex);
    cluster_set_trouble(cluster, err->text);
    if (strncmp(before, err->text, sizeof before - 1) != 0)
        dbk_watch_say(&cluster->watch, "start the private PostgreSQL: %s; trying again",
                      err->text);
}

/* Another server on the same files, or on new ones where damage says why. */
static void restart(struct dbk_cluster *cluster, const char *damage)
{
    struct dbk_error err = {0};

    if (damage)
        cluster_set_trouble(cluster, damage);
    cluster_server_end(&cluster->server);
    if (cluster_start(cluster, damage, &err) != DBK_OK)
        fail(cluster, &err);
}

static void tell_of_death(struct dbk_cluster *cluster)
{
    char reason[256], text[CLUSTER_TEXT];

    cluster_reason(cluster, reason, sizeof reason);
    snprintf(text, sizeof text, "PostgreSQL ended (%s): starting it again", reason);
    dbk_watch_say(&cluster->watch, "%s", text);
    cluster_set_trouble(cluster, text);
    cluster->ready = false;
}

/* What statements have met that damaged files would explain, once it is enough. */
static bool take_damage(struct dbk_cluster *cluster, char text[CLUSTER_TEXT])
{
    bool enough = false;

    pthread_mutex_lock(&cluster->mutex);
    if (cluster->damages >= DAMAGES_MAX &&
        dbk_deadline_left(cluster->replace_at) == 0) {
        enough = true;
        snprintf(text, CLUSTER_TEXT,
                 "the private PostgreSQL's files are damaged: %.300s", cluster->damage);
        cluster->damages = 0;
    }
    pthread_mutex_unlock(&cluster->mutex);
    return enough;
}

/* Somebody has taken them away, or a statement has met damage. */
static void look_at_files(struct dbk_cluster *cluster)
{
    char text[CLUSTER_TEXT];

    if (!cluster_is_whole(&cluster->place) ||
        !cluster_is_same(&cluster->place, &cluster->files)) {
        snprintf(
            text, sizeof text,
            "files of the private PostgreSQL were taken away from %.300s: making it "
            "again",
            cluster->place.dir);
        dbk_watch_say(&cluster->watch, "%s", text);
        restart(cluster, text);
    } else if (take_damage(cluster, text)) {
        dbk_watch_say(&cluster->watch, "%s: making others from the log", text);
        restart(cluster, text);
    } else if (cluster->ready && !cluster_is_reached(&cluster->place)) {
        dbk_watch_say(
            &cluster->watch,
            "the private PostgreSQL's socket or postmaster.pid was taken away: "
            "starting it again");
        restart(cluster, NULL);
    }
}

static enum dbk_code set_wal(struct pg *pg, unsigned mb)
{
    const struct pg_statement bound = {NULL, sql_wal_bound};
    struct pg_result *command;
    struct pg_param param;
    enum dbk_code code;
    char size[32];

    snprintf(size, sizeof size, "%uMB", mb);
    param = pg_text(size);
    code = pg_run(pg, &bound, &param, 1, STATEMENT_MS, &command, NULL);
    if (code == DBK_OK)
        code = pg_script(pg, pg_value(command, 0, 0).data, STATEMENT_MS, NULL);
    pg_clear(command);
    if (code == DBK_OK)
        code = pg_script(pg, sql_wal_reload, STATEMENT_MS, NULL);
    return code;
}

/* Since it was started. */
static void end_scrub(struct dbk_cluster *cluster, struct pg *pg)
{
    bool found;

    if (scrub_wal_put_back(pg, &found, NULL) == DBK_OK && found)
        dbk_watch_say(&cluster->watch,
                      "put back wal_recycle and min_wal_size, which a scrub that was "
                      "killed had left");
}

/* Not on its command line: that would keep it from being changed while it runs. */
static void bound_wal(struct dbk_cluster *cluster)
{
    const struct pg_options options = {.application = "daybook cluster",
                                       .connect_timeout_ms = STATEMENT_MS};
    unsigned mb = cluster_room_wal_mb(&cluster->place);
    struct pg *pg;

    cluster->bound_at = dbk_deadline_in(BOUND_MS);
    /* Each change costs a reload: not for a little. */
    if (cluster->wal_mb != 0 && mb < cluster->wal_mb + cluster->wal_mb / 8 &&
        mb > cluster->wal_mb - cluster->wal_mb / 8)
        return;
    if (pg_open(&cluster->database, &options, &pg, NULL) != DBK_OK)
        return;
    if (cluster->wal_mb == 0)
        end_scrub(cluster, pg);
    if (set_wal(pg, mb) == DBK_OK)
        cluster->wal_mb = mb;
    pg_close(pg);
}

/* As the owner. False where a new start has failed. */
static bool tend(struct dbk_cluster *cluster)
{
    if (cluster_server_keep(&cluster->server))
        tell_of_death(cluster);
    if (!cluster->ready && pg_answers(&cluster->database)) {
        cluster->ready = true;
        cluster->server.deaths = 0;
        cluster_set_trouble(cluster, NULL);
    }
    if (!cluster->ready && cluster->server.deaths >= DEATHS_MAX)
        restart(cluster, NULL);
    else if (dbk_deadline_left(cluster->look_at) == 0)
        look_at_files(cluster);
    if (cluster->owner && cluster->ready && dbk_deadline_left(cluster->bound_at) == 0)
        bound_wal(cluster);
    return cluster->owner;
}

/* The log's part of the disk, where both share it. */
static void look_at_room(struct dbk_cluster *cluster)
{
    char text[CLUSTER_TEXT] = "";
    uint64_t reserve, left;
    bool before;

    pthread_mutex_lock(&cluster->mutex);
    before = *cluster->held;
    pthread_mutex_unlock(&cluster->mutex);
    if (cluster_room_is_reserved(&cluster->place, before, &reserve, &left))
        snprintf(
            text, sizeof text,
            "the disk of the private PostgreSQL has only %u MiB left, and the last "
            "%u MiB are kept for the log: nothing is posted until there is more",
            (unsigned)(left >> 20), (unsigned)(reserve >> 20));
    if (*text && before) /* the first figure will do, and is told once */
        return;
    pthread_mutex_lock(&cluster->mutex);
    memcpy(cluster->held, text, sizeof text);
    pthread_mutex_unlock(&cluster->mutex);
}

/* Its owner is somebody else. */
static void use_another(struct dbk_cluster *cluster)
{
    cluster->attached = true;
    if (!dbk_cluster_away(cluster, NULL, 0))
        return;
    if (!cluster_lock_is_for(cluster->lock, &cluster->place))
        cluster_set_trouble(cluster,
                            "the directory of the private PostgreSQL is another "
                            "log's: give each its own CLUSTER_DIR");
    else
        cluster_set_trouble(cluster,
                            pg_answers(&cluster->database)
                                ? NULL
                                : "another process runs the private PostgreSQL, "
                                  "but it does not accept connections");
}

static enum dbk_code open_lock(struct dbk_cluster *cluster, struct dbk_error *err)
{
    if (cluster->lock >= 0)
        return DBK_OK;
    if (cluster_place_make(&cluster->place, err) != DBK_OK)
        return err->code;
    return cluster_lock_open(cluster->place.base, true, &cluster->lock, err);
}

/* Where nobody is the owner, whoever sees it first starts a server. False where that
 * failed. */
static bool start_or_use(struct dbk_cluster *cluster)
{
    struct dbk_error err = {0};
    bool mine = false;

    if (open_lock(cluster, &err) == DBK_OK &&
        cluster_lock_own(cluster->lock, &mine, &err) == DBK_OK && !mine) {
        use_another(cluster);
        return true;
    }
    if (mine && cluster->attached)
        dbk_watch_say(&cluster->watch, "the process that ran the private PostgreSQL is "
                                       "gone: starting it again");
    cluster->attached = false;
    if (mine) {
        cluster_lock_name(cluster->lock, &cluster->place);
        if (cluster_start(cluster, NULL, &err) == DBK_OK)
            return true;
    }
    fail(cluster, &err);
    return false;
}

void *cluster_watch(void *argument)
{
    struct dbk_cluster *cluster = argument;
    int wait_ms, again_ms = AGAIN_MIN_MS;
    bool good;

    do {
        wait_ms = WATCH_MS;
        if (dbk_deadline_left(cluster->look_at) == 0)
            look_at_room(cluster);
        good = cluster->owner ? tend(cluster) : start_or_use(cluster);
        if (good) {
            again_ms = AGAIN_MIN_MS;
        } else {
            wait_ms = again_ms;
            again_ms = again_ms * 2 < AGAIN_MAX_MS ? again_ms * 2 : AGAIN_MAX_MS;
        }
        if (dbk_deadline_left(cluster->look_at) == 0)
            cluster->look_at = dbk_deadline_in(LOOK_MS);
        set_tried(cluster);
    } while (sleep_until_stopped(cluster, wait_ms));
    return NULL;
}
