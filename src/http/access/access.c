#include "access.h"

#include "store/clock.h"
#include "store/thread.h"
#include "tokens_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LOOK_MS 500

struct access {
    struct access_options options;
    atomic_bool required;

    pthread_rwlock_t lock; /* of these two */
    struct dbk_tokens tokens;
    bool broken;

    pthread_t thread; /* looks again and again */
    bool watching;
    pthread_mutex_t mutex; /* of what follows: what was seen last by whoever looked */
    pthread_cond_t changed;
    bool stopping;
    char path[TOKENS_PATH];
    bool there;
    struct stat seen;
};

static bool is_loopback(const char *address)
{
    struct in_addr in;

    return inet_pton(AF_INET, address, &in) == 1 && ntohl(in.s_addr) >> 24 == 127;
}

enum dbk_code dbk_tokens_allow(const char *dir, const char *address, size_t *count,
                               struct dbk_error *err)
{
    struct dbk_tokens tokens = {0};

    *count = 0;
    if (dir && dbk_tokens_read(dir, &tokens, err) != DBK_OK)
        return dbk_wrap(err, "read the access tokens");
    *count = tokens.count;
    dbk_tokens_finish(&tokens);
    if (*count > 0 || is_loopback(address))
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID,
                    "others can reach %s, and there are no access tokens yet, so "
                    "whoever comes could read and write everything: make one first "
                    "(daybook token create NAME --scope SCOPE), or listen on 127.0.0.1",
                    address);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
           a->st_size == b->st_size && a->st_mode == b->st_mode &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
           a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void report(const struct access *access, const char *what, const char *why)
{
    char line[sizeof((struct dbk_error *)0)->text + 128];

    if (!access->options.report)
        return;
    snprintf(line, sizeof line, "%s%s", what, why);
    access->options.report(access->options.report_context, line);
}

/* Once a reader can see that tokens are required, it sees them too. */
static void publish(struct access *access, struct dbk_tokens *tokens, bool broken)
{
    struct dbk_tokens before;

    pthread_rwlock_wrlock(&access->lock);
    before = access->tokens;
    access->tokens = *tokens;
    access->broken = broken;
    pthread_rwlock_unlock(&access->lock);
    if (broken || tokens->count > 0)
        atomic_store(&access->required, true);
    dbk_tokens_finish(&before);
}

/* What is looked at before it is read can only be older than what was read, so a change
 * in between is seen the next time. With the mutex, but for the first time. */
static void look(struct access *access)
{
    bool was_broken = access->broken; /* written here only */
    struct dbk_tokens tokens;
    struct dbk_error err;
    struct stat now = {0};
    bool there = lstat(access->path, &now) == 0 || errno != ENOENT, broken;

    if (!was_broken && there == access->there && same_file(&now, &access->seen))
        return;
    broken = dbk_tokens_read(access->options.dir, &tokens, &err) != DBK_OK;
    access->there = there;
    access->seen = now;
    publish(access, &tokens, broken);
    if (broken && !was_broken)
        report(access,
               "everyone is refused, as the access tokens cannot be read: ", err.text);
    else if (was_broken && !broken)
        report(access, "access tokens are read again", "");
}

static void *watch(void *argument)
{
    struct access *access = argument;

    pthread_mutex_lock(&access->mutex);
    while (!access->stopping) {
        if (!dbk_cond_wait(&access->changed, &access->mutex, dbk_deadline_in(LOOK_MS)))
            look(access);
    }
    pthread_mutex_unlock(&access->mutex);
    return NULL;
}

static void init_sync(struct access *access)
{
    pthread_rwlock_init(&access->lock, NULL);
    pthread_mutex_init(&access->mutex, NULL);
    dbk_cond_init(&access->changed);
}

static enum dbk_code start_watching(struct access *access, struct dbk_error *err)
{
    if (!access->options.dir)
        return DBK_OK;
    if (tokens_path(access->options.dir, "tokens", access->path, err) != DBK_OK)
        return err->code;
    look(access);
    if (dbk_thread_start(&access->thread, "dbk-tokens", watch, access, err) != DBK_OK)
        return err->code;
    access->watching = true;
    return DBK_OK;
}

enum dbk_code access_create(const struct access_options *options,
                            struct access **access, struct dbk_error *err)
{
    struct access *made;
    size_t count;
    enum dbk_code code = dbk_tokens_allow(options->dir, options->address, &count, err);

    *access = NULL;
    if (code != DBK_OK && !(code == DBK_INVALID && options->required))
        return code;
    made = calloc(1, sizeof *made);
    if (!made)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory for access tokens");
    made->options = *options;
    init_sync(made);
    atomic_init(&made->required, count > 0 || options->required);
    if (start_watching(made, err) == DBK_OK)
        *access = made;
    else
        access_destroy(made);
    return *access ? DBK_OK : err->code;
}

void access_look(struct access *access)
{
    if (!access->watching)
        return;
    pthread_mutex_lock(&access->mutex);
    look(access);
    pthread_mutex_unlock(&access->mutex);
}

void access_destroy(struct access *access)
{
    if (!access)
        return;
    if (access->watching) {
        pthread_mutex_lock(&access->mutex);
        access->stopping = true;
        pthread_cond_signal(&access->changed);
        pthread_mutex_unlock(&access->mutex);
        pthread_join(access->thread, NULL);
    }
    dbk_tokens_finish(&access->tokens);
    pthread_cond_destroy(&access->changed);
    pthread_mutex_destroy(&access->mutex);
    pthread_rwlock_destroy(&access->lock);
    free(access);
}

bool access_required(const struct access *access)
{
    return atomic_load_explicit(&access->required, memory_order_acquire);
}

/* Each is compared whole, and all of them, whichever it is. */
static const struct dbk_token *find(const struct dbk_tokens *tokens,
                                    const unsigned char hash[DBK_TOKEN_HASH])
{
    const struct dbk_token *found = NULL;

    for (size_t i = 0; i < tokens->count; i++) {
        if (sodium_memcmp(tokens->list[i].hash, hash, DBK_TOKEN_HASH) == 0)
            found = &tokens->list[i];
    }
    return found;
}

static bool has_origin(const char *const *origins, const char *origin)
{
    for (; origins && *origins; origins++) {
        if (strcmp(*origins, origin) == 0)
            return true;
    }
    return false;
}

/* The same holds for all others by CORS_ORIGINS alone, which browsers see to. */
static bool lets(const struct access *access, const struct dbk_token *token,
                 const char *origin)
{
    if (!origin || token->scopes != DBK_SCOPE_INGEST)
        return true;
    return *token->bounds.origins ? dbk_token_origin_let(&token->bounds, origin)
                                  : has_origin(access->options.cors_origins, origin);
}

bool access_ingests(struct access *access)
{
    bool found = false;

    pthread_rwlock_rdlock(&access->lock);
    for (size_t i = 0; i < access->tokens.count && !found; i++)
        found = access->tokens.list[i].scopes == DBK_SCOPE_INGEST;
    pthread_rwlock_unlock(&access->lock);
    return found;
}

bool access_origin_let(struct access *access, const char *origin)
{
    bool found = false;

    pthread_rwlock_rdlock(&access->lock);
    for (size_t i = 0; i < access->tokens.count && !found; i++) {
        const struct dbk_token *token = &access->tokens.list[i];
        found = token->scopes == DBK_SCOPE_INGEST && lets(access, token, origin);
    }
    pthread_rwlock_unlock(&access->lock);
    return found;
}

bool access_holds(struct access *access, const unsigned char *hash, unsigned scopes)
{
    const struct dbk_token *token;
    bool holds;

    if (!hash)
        return !access_required(access);
    pthread_rwlock_rdlock(&access->lock);
    token = find(&access->tokens, hash);
    holds = token && token->scopes & (scopes | DBK_SCOPE_ADMIN);
    pthread_rwlock_unlock(&access->lock);
    return holds;
}

enum dbk_code access_find(struct access *access, struct dbk_slice secret,
                          const char *origin, uint32_t address,
                          struct access_bearer *bearer, struct dbk_error *err)
{
    unsigned char hash[DBK_TOKEN_HASH];
    const struct dbk_token *token;
    enum dbk_code code = DBK_OK;

    tokens_hash(secret.data, secret.length, hash);
    pthread_rwlock_rdlock(&access->lock);
    token = find(&access->tokens, hash);
    if (token) {
        memcpy(bearer->name, token->name, sizeof bearer->name);
        bearer->scopes = token->scopes;
        bearer->origin_let = lets(access, token, origin);
        quota_begin(&bearer->use, token->hash, address, &token->bounds);
    } else if (access->broken) {
        code = dbk_fail(err, DBK_UNAVAILABLE, "the access tokens cannot be read");
    } else {
        code = dbk_fail(err, DBK_NOT_FOUND, "the access token is not known");
    }
    pthread_rwlock_unlock(&access->lock);
    return code;
}
