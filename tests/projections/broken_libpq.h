/* broken_libpq.h - libpq and memory, failing once where they are told to.
 *
 * A place is a call of libpq, or for memory, together with all the calls that led to it, so it is met again
 * in the next run however the timing goes. First a run is watched, which finds the places;
 * then it is run again with one of them failing. Threads are watched all, but for one that
 * says it is not. Link with BROKEN_LIBPQ's functions wrapped: see CMakeLists.txt. */
#ifndef TEST_BROKEN_LIBPQ_H
#define TEST_BROKEN_LIBPQ_H

#include <execinfo.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum breakage {
    BREAK_NOTHING,
    BREAK_CALL,   /* libpq itself fails, as without memory */
    BREAK_SOCKET, /* the connection is cut just before the call */
    BREAK_SERVER, /* the server refuses the statement: its disk is full */
};

enum call {
    CALL_MEMORY,
    CALL_LIBPQ,
    CALL_SEND, /* what the server can refuse */
};

enum { PLACES_MAX = 4096, FRAMES_MAX = 64 };

static struct {
    pthread_mutex_t lock;
    bool watching;
    uint64_t places[PLACES_MAX];
    enum call kinds[PLACES_MAX];
    size_t count;
    uint64_t broken; /* the place that is to fail */
    enum breakage how;
    bool met;
} libpq = {.lock = PTHREAD_MUTEX_INITIALIZER};

static _Thread_local bool not_watched;
static _Thread_local const void
    *above; /* where a place begins: who calls what is run */

static inline uint64_t place_here(void)
{
    void *frames[FRAMES_MAX];
    int count = backtrace(frames, FRAMES_MAX);
    uint64_t hash = 14695981039346656037u;

    for (int i = 0; i < count && frames[i] != above; i++)
        hash = (hash ^ (uintptr_t)frames[i]) * 1099511628211u;
    return hash;
}

static inline bool is_known(uint64_t place)
{
    for (size_t i = 0; i < libpq.count; i++)
        if (libpq.places[i] == place)
            return true;
    return false;
}

/* How the call that is just made is to fail. */
static __attribute__((noinline)) enum breakage break_here(const PGconn *conn,
                                                          enum call kind)
{
    enum breakage how = BREAK_NOTHING;
    uint64_t place;

    if (not_watched)
        return BREAK_NOTHING;
    place = place_here();
    pthread_mutex_lock(&libpq.lock);
    if (libpq.watching && libpq.count < PLACES_MAX && !is_known(place)) {
        libpq.kinds[libpq.count] = kind;
        libpq.places[libpq.count++] = place;
    }
    if (libpq.broken == place && !libpq.met) {
        libpq.met = true;
        how = libpq.how;
    }
    pthread_mutex_unlock(&libpq.lock);
    if (how == BREAK_SOCKET && conn)
        shutdown(PQsocket(conn), SHUT_RDWR);
    return how;
}

/* Of the function that calls what is run, the __builtin_return_address(0). */
static inline void libpq_below(const void *address)
{
    above = address;
}

static inline void libpq_watch(void)
{
    pthread_mutex_lock(&libpq.lock);
    libpq.watching = true;
    libpq.count = 0;
    pthread_mutex_unlock(&libpq.lock);
}

static inline void libpq_break(size_t place, enum breakage how)
{
    pthread_mutex_lock(&libpq.lock);
    libpq.watching = libpq.met = false;
    libpq.broken = libpq.places[place];
    libpq.how = how;
    pthread_mutex_unlock(&libpq.lock);
}

/* Whole again; whether it was met. */
static inline bool libpq_mend(void)
{
    bool met;

    pthread_mutex_lock(&libpq.lock);
    met = libpq.met;
    libpq.watching = libpq.met = false;
    libpq.broken = 0;
    pthread_mutex_unlock(&libpq.lock);
    return met;
}

/* Of ours alone: libraries have their own. */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return break_here(NULL, CALL_MEMORY) == BREAK_CALL ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    if (break_here(NULL, CALL_MEMORY) == BREAK_CALL)
        return NULL;
    return __real_calloc(count, size);
}

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
    if (break_here(NULL, CALL_MEMORY) == BREAK_CALL)
        return NULL;
    return __real_realloc(old, size);
}

#define REFUSED "do $$ begin raise disk_full using message = 'the disk is full'; end $$"

/* name(conn): fails with `failed` where it is to. */
#define BROKEN_CALL(name, failed)                                                      \
    int __real_##name(PGconn *conn);                                                   \
    int __wrap_##name(PGconn *conn);                                                   \
    int __wrap_##name(PGconn *conn)                                                    \
    {                                                                                  \
        return break_here(conn, CALL_LIBPQ) == BREAK_CALL ? (failed)                   \
                                                          : __real_##name(conn);       \
    }

BROKEN_CALL(PQconsumeInput, 0)
BROKEN_CALL(PQenterPipelineMode, 0)
BROKEN_CALL(PQexitPipelineMode, 0)
BROKEN_CALL(PQflush, -1)
BROKEN_CALL(PQpipelineSync, 0)
BROKEN_CALL(PQsetSingleRowMode, 0)

PGconn *__real_PQconnectStartParams(const char *const *keywords,
                                    const char *const *values, int expand);
PGconn *__wrap_PQconnectStartParams(const char *const *keywords,
                                    const char *const *values, int expand);
PGconn *__wrap_PQconnectStartParams(const char *const *keywords,
                                    const char *const *values, int expand)
{
    if (break_here(NULL, CALL_LIBPQ) == BREAK_CALL)
        return NULL;
    return __real_PQconnectStartParams(keywords, values, expand);
}

PostgresPollingStatusType __real_PQconnectPoll(PGconn *conn);
PostgresPollingStatusType __wrap_PQconnectPoll(PGconn *conn);
PostgresPollingStatusType __wrap_PQconnectPoll(PGconn *conn)
{
    if (break_here(conn, CALL_LIBPQ) == BREAK_CALL)
        return PGRES_POLLING_FAILED;
    return __real_PQconnectPoll(conn);
}

int __real_PQsetnonblocking(PGconn *conn, int on);
int __wrap_PQsetnonblocking(PGconn *conn, int on);
int __wrap_PQsetnonblocking(PGconn *conn, int on)
{
    if (break_here(conn, CALL_LIBPQ) == BREAK_CALL)
        return -1;
    return __real_PQsetnonblocking(conn, on);
}

int __real_PQsendQuery(PGconn *conn, const char *sql);
int __wrap_PQsendQuery(PGconn *conn, const char *sql);
int __wrap_PQsendQuery(PGconn *conn, const char *sql)
{
    enum breakage how = break_here(conn, CALL_SEND);

    if (how == BREAK_CALL)
        return 0;
    return __real_PQsendQuery(conn, how == BREAK_SERVER ? REFUSED : sql);
}

int __real_PQsendQueryParams(PGconn *conn, const char *sql, int count, const Oid *types,
                             const char *const *values, const int *lengths,
                             const int *formats, int format);
int __wrap_PQsendQueryParams(PGconn *conn, const char *sql, int count, const Oid *types,
                             const char *const *values, const int *lengths,
                             const int *formats, int format);
int __wrap_PQsendQueryParams(PGconn *conn, const char *sql, int count, const Oid *types,
                             const char *const *values, const int *lengths,
                             const int *formats, int format)
{
    enum breakage how = break_here(conn, CALL_SEND);

    if (how == BREAK_CALL)
        return 0;
    if (how == BREAK_SERVER)
        return __real_PQsendQueryParams(conn, REFUSED, 0, NULL, NULL, NULL, NULL,
                                        format);
    return __real_PQsendQueryParams(conn, sql, count, types, values, lengths, formats,
                                    format);
}

int __real_PQsendQueryPrepared(PGconn *conn, const char *name, int count,
                               const char *const *values, const int *lengths,
                               const int *formats, int format);
int __wrap_PQsendQueryPrepared(PGconn *conn, const char *name, int count,
                               const char *const *values, const int *lengths,
                               const int *formats, int format);
int __wrap_PQsendQueryPrepared(PGconn *conn, const char *name, int count,
                               const char *const *values, const int *lengths,
                               const int *formats, int format)
{
    enum breakage how = break_here(conn, CALL_SEND);

    if (how == BREAK_CALL)
        return 0;
    if (how == BREAK_SERVER)
        return __real_PQsendQueryParams(conn, REFUSED, 0, NULL, NULL, NULL, NULL,
                                        format);
    return __real_PQsendQueryPrepared(conn, name, count, values, lengths, formats,
                                      format);
}

int __real_PQsendPrepare(PGconn *conn, const char *name, const char *sql, int count,
                         const Oid *types);
int __wrap_PQsendPrepare(PGconn *conn, const char *name, const char *sql, int count,
                         const Oid *types);
int __wrap_PQsendPrepare(PGconn *conn, const char *name, const char *sql, int count,
                         const Oid *types)
{
    enum breakage how = break_here(conn, CALL_SEND);

    if (how == BREAK_CALL)
        return 0;
    if (how == BREAK_SERVER) /* at once, not when it is run */
        return __real_PQsendQueryParams(conn, REFUSED, 0, NULL, NULL, NULL, NULL, 0);
    return __real_PQsendPrepare(conn, name, sql, count, types);
}

PGresult *__real_PQgetResult(PGconn *conn);
PGresult *__wrap_PQgetResult(PGconn *conn);
PGresult *__wrap_PQgetResult(PGconn *conn)
{
    if (break_here(conn, CALL_LIBPQ) == BREAK_CALL)
        return PQmakeEmptyPGresult(conn, PGRES_FATAL_ERROR);
    return __real_PQgetResult(conn);
}

int __real_PQputCopyData(PGconn *conn, const char *bytes, int length);
int __wrap_PQputCopyData(PGconn *conn, const char *bytes, int length);
int __wrap_PQputCopyData(PGconn *conn, const char *bytes, int length)
{
    if (break_here(conn, CALL_LIBPQ) == BREAK_CALL)
        return -1;
    return __real_PQputCopyData(conn, bytes, length);
}

int __real_PQputCopyEnd(PGconn *conn, const char *why_not);
int __wrap_PQputCopyEnd(PGconn *conn, const char *why_not);
int __wrap_PQputCopyEnd(PGconn *conn, const char *why_not)
{
    if (break_here(conn, CALL_LIBPQ) == BREAK_CALL)
        return -1;
    return __real_PQputCopyEnd(conn, why_not);
}

#endif
