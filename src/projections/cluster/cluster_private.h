/* cluster_private.h - what a cluster is, for the files that make it up.
 *
 * cluster.c        opened, asked, closed
 * cluster_start.c  the owner's: a cluster that runs, made where there is none
 * cluster_watch.c  the thread: starts it again, looks after its files and its room
 */
#ifndef DBK_PROJECTIONS_CLUSTER_PRIVATE_H
#define DBK_PROJECTIONS_CLUSTER_PRIVATE_H

#include "cluster_place.h"
#include "cluster_server.h"
#include "projections/cluster.h"
#include "store/clock.h"

#include <pthread.h>
#include <sys/types.h>

#define CLUSTER_TEXT 400

struct dbk_cluster {
    char data_dir[PATH_MAX];
    struct dbk_cluster_options options; /* its texts not kept */
    struct dbk_watch watch;             /* asks and tells that of options */
    struct cluster_place place;
    struct dbk_database database;
    int lock;   /* the file of cluster_lock.h; -1: not open */
    pid_t seen; /* the server that was opened */

    /* Of who opens it, then of the thread. */
    bool owner;
    bool attached; /* another's server was used */
    bool ready;    /* the owner's has accepted connections since it was started */
    bool refuses;  /* it runs, and lets nobody in */
    bool fresh;    /* the files were made here, and no server has run on them yet */
    struct cluster_server server;
    struct stat files;       /* the directory that the server was started in */
    dbk_deadline replace_at; /* damaged files are not replaced before */
    dbk_deadline look_at;    /* when files and room are looked at again */
    dbk_deadline bound_at;   /* and how much WAL there may be */
    unsigned wal_mb;         /* as it was set; 0: not yet */

    bool watched; /* the thread runs */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t changed;
    bool stopping;
    bool tried;                  /* the first start has succeeded or failed */
    char trouble[CLUSTER_TEXT];  /* why it does not run; "": it runs */
    char held[CLUSTER_TEXT];     /* why nothing may be posted; "": it may */
    char damage[CLUSTER_TEXT];   /* what a statement met last, */
    unsigned damages;            /* how bad all of it was, */
    dbk_deadline damages_forgot; /* and when that is forgotten */
};

/* Whether to stop waiting. The context is the cluster. */
bool cluster_stops(void *context);

/* The last of the log that tells why, for a message. */
void cluster_reason(const struct dbk_cluster *cluster, char *text, size_t size);

/* It does not run, for this reason; NULL: it does. */
void cluster_set_trouble(struct dbk_cluster *cluster, const char *why);

/* As the owner: make sure that there are files which these programs can run, start the
 * server, wait for it. What does not start twice is set aside for a new one, made first;
 * with damage (NULL: none is known) at once. The owner no more where that fails. */
enum dbk_code cluster_start(struct dbk_cluster *cluster, const char *damage,
                            struct dbk_error *err);

/* The thread. */
void *cluster_watch(void *cluster);

#endif
