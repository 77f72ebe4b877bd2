/* sealed_log.h - a scratch log that is sealed, with its ring of keys beside it. */
#ifndef SEALED_LOG_H
#define SEALED_LOG_H

#include "scratch_log.h"

static inline void sealed_keys_dir(const struct scratch *s, char out[120])
{
    snprintf(out, 120, "%s.keys", s->dir);
}

static inline void sealed_open_keys(struct scratch *s)
{
    char dir[120];

    sealed_keys_dir(s, dir);
    if (dbk_keys_open(dir, NULL, &s->keys, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
}

/* As after another start: the ring, too, is read again. */
static inline void sealed_reopen(struct scratch *s)
{
    dbk_log_close(s->log);
    dbk_keys_close(s->keys);
    sealed_open_keys(s);
    scratch_open(s);
}

static inline int sealed_setup(void **state)
{
    struct scratch *s = calloc(1, sizeof *s);
    char dir[120];

    strcpy(s->dir, "/tmp/daybook-store-XXXXXX");
    if (!mkdtemp(s->dir))
        return -1;
    sealed_keys_dir(s, dir);
    if (dbk_keys_make(dir, NULL, &s->err) != DBK_OK)
        fail_msg("%s", s->err.text);
    sealed_open_keys(s);
    scratch_open(s);
    *state = s;
    return 0;
}

static inline void sealed_remove_ring(const char *dir)
{
    static const char *const names[] = {"ring", "master", "lock", ""};
    char path[160];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        remove(path);
    }
}

static inline void sealed_remove_keys(const struct scratch *s)
{
    char dir[120];

    sealed_keys_dir(s, dir);
    sealed_remove_ring(dir);
}

static inline int sealed_teardown(void **state)
{
    struct scratch *s = *state;

    dbk_log_close(s->log);
    dbk_keys_close(s->keys);
    sealed_remove_keys(s);
    scratch_remove(s->dir);
    free(s);
    return 0;
}

#endif
