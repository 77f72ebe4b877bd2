#include "projections/cluster.h"

#include "cluster_files.h"
#include "cluster_owner.h"
#include "cluster_place.h"
#include "cluster_programs.h"
#include "cluster_supervisor.h"
#include "deadline.h"

#include <errno.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 20, READY_MS = 60000, ATTACH_MS = 5000, DEATHS_MAX = 8 };

struct dbk_cluster {
    char data_dir[PATH_MAX];
    struct cluster_report report;
    struct cluster_owner owner;
    struct cluster_place place;            /* the owner's; socket_dir for all */
    struct cluster_programs programs;      /* the owner's */
    struct cluster_supervisor *supervisor; /* NULL: attached */
    struct dbk_database database;
};

static void pause_ms(long ms)
{
    const struct timespec pause = {.tv_nsec = ms * 1000000L};

    nanosleep(&pause, NULL);
}

static void set_database(struct dbk_cluster *self)
{
    self->database = (struct dbk_database){.host = self->place.socket_dir,
                                           .port = CLUSTER_PORT,
                                           .name = "postgres",
                                           .user = "daybook"};
}

static bool accepts_connections(const struct dbk_database *database)
{
    const char *const keys[] = {"host", "port", "dbname", "user", "connect_timeout",
                                NULL};
    const char *const values[] = {
        database->host, database->port, database->name, database->user, "2", NULL};

    return PQpingParams(keys, values, 0) == PQPING_OK;
}

static enum dbk_code wait_until_ready(struct dbk_cluster *self, struct dbk_error *err)
{
    dbk_deadline deadline = dbk_deadline_in(READY_MS);
    char tail[256];

    while (dbk_deadline_left(deadline) > 0) {
        if (accepts_connections(&self->database))
            return DBK_OK;
        if (cluster_supervisor_deaths(self->supervisor) >= DEATHS_MAX)
            break;
        pause_ms(POLL_MS);
    }
    cluster_log_tail(&self->place, tail, sizeof tail);
    return dbk_fail(err, DBK_TIMEOUT,
                    "the private PostgreSQL does not accept connections; its log %s "
                    "ends: %s",
                    self->place.log, tail);
}

/* A cluster of this version that these programs can run: the one there is, or a new
 * one. Nothing is lost with the old one, its tables come from the log. */
static enum dbk_code provide_cluster(struct dbk_cluster *self, struct dbk_error *err)
{
    int version = cluster_version(&self->place);

    if (cluster_programs_find(version, &self->programs, err) != DBK_OK)
        return err ? err->code : DBK_NOT_FOUND;
    if (version > 0 && self->programs.major > 0 && version != self->programs.major) {
        cluster_say(
            &self->report,
            "the cluster is of PostgreSQL %d, installed is %d: setting it aside",
            version, self->programs.major);
        if (cluster_set_aside(&self->place, version, err) != DBK_OK)
            return DBK_IO;
        version = 0;
    }
    if (version > 0)
        return DBK_OK;
    return cluster_make(&self->place, &self->programs, &self->report, err);
}

static enum dbk_code start_as_owner(struct dbk_cluster *self,
                                    const struct dbk_uuid *store_id,
                                    struct dbk_error *err)
{
    char last[CLUSTER_SOCKET_DIR];
    enum dbk_code code;

    cluster_owner_read(&self->owner, last);
    code = cluster_owner_tell(&self->owner, "", err);
    if (code == DBK_OK)
        code = cluster_place_find(self->data_dir, store_id, &self->report, &self->place,
                                  err);
    if (code == DBK_OK)
        code = cluster_end_leftover(&self->place, &self->report, err);
    if (code == DBK_OK)
        code = provide_cluster(self, err);
    if (code == DBK_OK)
        code = cluster_place_socket(&self->place, last, err);
    if (code == DBK_OK)
        code = cluster_supervisor_start(&self->place, &self->programs, &self->report,
                                        &self->supervisor, err);
    if (code != DBK_OK)
        return code;
    set_database(self);
    code = wait_until_ready(self, err);
    if (code == DBK_OK)
        code = cluster_owner_tell(&self->owner, self->place.socket_dir, err);
    if (code == DBK_OK)
        cluster_say(&self->report, "private PostgreSQL runs, socket in %s",
                    self->place.socket_dir);
    return code;
}

static bool try_attach(struct dbk_cluster *self)
{
    cluster_owner_read(&self->owner, self->place.socket_dir);
    set_database(self);
    return self->place.socket_dir[0] == '/' && accepts_connections(&self->database);
}

/* Own it or attach to it. An owner that is just starting or ending is waited for, not so
 * long by those who only ask. */
static enum dbk_code own_or_attach(struct dbk_cluster *self,
                                   const struct dbk_cluster_options *options,
                                   struct dbk_error *err)
{
    dbk_deadline deadline =
        dbk_deadline_in(options->attach_only ? ATTACH_MS : READY_MS);
    bool mine = false;

    while (dbk_deadline_left(deadline) > 0) {
        if (options->attach_only && !cluster_owner_other(&self->owner))
            return dbk_fail(
                err, DBK_UNAVAILABLE,
                "no private PostgreSQL runs for %s: start it with \"daybook "
                "serve\"",
                self->data_dir);
        if (!options->attach_only &&
            cluster_owner_claim(&self->owner, &mine, err) != DBK_OK)
            return DBK_IO;
        if (mine)
            return start_as_owner(self, &options->store_id, err);
        if (try_attach(self))
            return DBK_OK;
        pause_ms(POLL_MS);
    }
    return dbk_fail(
        err, DBK_TIMEOUT,
        "another process runs the private PostgreSQL of %s, but it does not "
        "accept connections",
        self->data_dir);
}

enum dbk_code dbk_cluster_open(const struct dbk_cluster_options *options,
                               struct dbk_cluster **cluster, struct dbk_error *err)
{
    struct dbk_cluster *self = calloc(1, sizeof *self);
    enum dbk_code code;

    *cluster = NULL;
    if (!self)
        return dbk_fail(err, DBK_NO_MEMORY, "out of memory");
    self->owner.fd = -1;
    self->report = (struct cluster_report){.line = options->report,
                                           .context = options->report_context};
    if (!realpath(options->data_dir, self->data_dir))
        code = dbk_fail(err, DBK_IO, "open %s: %s", options->data_dir, strerror(errno));
    else
        code = cluster_owner_open(self->data_dir, &self->owner, err);
    if (code == DBK_OK)
        code = own_or_attach(self, options, err);
    if (code != DBK_OK) {
        dbk_cluster_close(self);
        return code;
    }
    *cluster = self;
    return DBK_OK;
}

const struct dbk_database *dbk_cluster_database(const struct dbk_cluster *cluster)
{
    return &cluster->database;
}

void dbk_cluster_close(struct dbk_cluster *cluster)
{
    if (!cluster)
        return;
    cluster_supervisor_stop(cluster->supervisor);
    if (cluster->place.own_socket_dir)
        rmdir(cluster->place.socket_dir);
    cluster_owner_close(&cluster->owner);
    free(cluster);
}
