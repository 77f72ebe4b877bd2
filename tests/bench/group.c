#include "group.h"

#include "store/record.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct group {
    MDB_env *env;
    MDB_dbi log;
    bool gathers;
    uint64_t head; /* changed inside a write transaction only */
    pthread_t writer;

    pthread_mutex_t mutex; /* guards the rest */
    pthread_cond_t submitted;
    struct append *first, **last;
    bool closing;
};

static int put(struct group *group, MDB_txn *txn, struct append *append)
{
    MDB_val key = {sizeof group->head, &group->head};
    MDB_val value = {append->length, append->bytes};

    group->head++;
    append->sequence = group->head;
    dbk_record_stamp(append->bytes, append->sequence, append->at);
    return mdb_put(txn, group->log, &key, &value, MDB_APPEND);
}

/* Write the list in one transaction, from first to its end. */
static int write_all(struct group *group, struct append *first)
{
    dbk_timestamp now = dbk_timestamp_now();
    uint64_t before;
    MDB_txn *txn;
    int rc = mdb_txn_begin(group->env, NULL, 0, &txn);

    if (rc != 0)
        return rc;
    before = group->head;
    for (struct append *append = first; rc == 0 && append; append = append->next) {
        append->at = now;
        rc = put(group, txn, append);
    }
    if (rc == 0)
        rc = mdb_txn_commit(txn);
    else
        mdb_txn_abort(txn);
    if (rc != 0)
        group->head = before;
    return rc;
}

static struct append *take_all(struct group *group)
{
    struct append *first;

    pthread_mutex_lock(&group->mutex);
    while (!group->first && !group->closing)
        pthread_cond_wait(&group->submitted, &group->mutex);
    first = group->first;
    group->first = NULL;
    group->last = &group->first;
    pthread_mutex_unlock(&group->mutex);
    return first;
}

static void *run_writer(void *context)
{
    struct group *group = context;
    struct append *first, *next;

    while ((first = take_all(group))) {
        int rc = write_all(group, first);

        for (; first; first = next) {
            next = first->next; /* it is gone once its owner wakes */
            first->rc = rc;
            sem_post(&first->done);
        }
    }
    return NULL;
}

static void must(int rc, const char *doing)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s: %s\n", doing, mdb_strerror(rc));
    exit(1);
}

struct group *group_open(const char *dir, bool gathers)
{
    struct group *group = calloc(1, sizeof *group);
    MDB_txn *txn;

    if (!group)
        exit(1);
    group->gathers = gathers;
    group->last = &group->first;
    pthread_mutex_init(&group->mutex, NULL);
    pthread_cond_init(&group->submitted, NULL);
    must(mdb_env_create(&group->env), "LMDB");
    must(mdb_env_set_mapsize(group->env, (size_t)1 << 40), "map");
    must(mdb_env_set_maxdbs(group->env, 1), "databases");
    must(mdb_env_open(group->env, dir, MDB_NOTLS, 0600), dir);
    must(mdb_txn_begin(group->env, NULL, 0, &txn), "begin");
    must(mdb_dbi_open(txn, "log", MDB_CREATE | MDB_INTEGERKEY, &group->log), "log");
    must(mdb_txn_commit(txn), "commit");
    if (gathers)
        must(pthread_create(&group->writer, NULL, run_writer, group), "thread");
    return group;
}

void group_append(struct group *group, struct append *append)
{
    append->next = NULL;
    if (!group->gathers) {
        append->rc = write_all(group, append);
        return;
    }
    sem_init(&append->done, 0, 0);
    pthread_mutex_lock(&group->mutex);
    *group->last = append;
    group->last = &append->next;
    pthread_cond_signal(&group->submitted);
    pthread_mutex_unlock(&group->mutex);
    while (sem_wait(&append->done) != 0)
        ; /* a signal handler ran */
    sem_destroy(&append->done);
}

size_t group_close(struct group *group)
{
    MDB_stat stat = {0};
    MDB_txn *txn;

    pthread_mutex_lock(&group->mutex);
    group->closing = true;
    pthread_cond_signal(&group->submitted);
    pthread_mutex_unlock(&group->mutex);
    if (group->gathers)
        pthread_join(group->writer, NULL);
    must(mdb_txn_begin(group->env, NULL, MDB_RDONLY, &txn), "begin");
    must(mdb_stat(txn, group->log, &stat), "count");
    mdb_txn_abort(txn);
    mdb_env_close(group->env);
    free(group);
    return stat.ms_entries;
}
