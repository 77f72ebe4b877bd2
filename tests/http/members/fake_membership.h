/* fake_membership.h - a membership that a test sets: who leads, and how the others answer. */
#ifndef DBK_TESTS_HTTP_FAKE_MEMBERSHIP_H
#define DBK_TESTS_HTTP_FAKE_MEMBERSHIP_H

#include "http/membership.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct fake {
    struct dbk_membership membership;
    pthread_mutex_t mutex; /* guards what follows */
    struct dbk_membership_look look;
    struct dbk_membership_look
        then; /* shown once fresh was asked, where it has a node */
    enum dbk_code fresh, hand_over, members;
    char handed[DBK_MEMBER_TEXT];
    atomic_uint freshened;   /* how often fresh was asked */
    void (*meanwhile)(void); /* done once by the next fresh; NULL: nothing */
};

static inline void fake_look(void *context, struct dbk_membership_look *out)
{
    struct fake *fake = context;

    pthread_mutex_lock(&fake->mutex);
    *out = fake->look;
    pthread_mutex_unlock(&fake->mutex);
}

static inline enum dbk_code fake_fresh(void *context, int timeout_ms,
                                       struct dbk_error *err)
{
    struct fake *fake = context;
    void (*meanwhile)(void);
    enum dbk_code code;

    (void)timeout_ms;
    atomic_fetch_add(&fake->freshened, 1);
    pthread_mutex_lock(&fake->mutex);
    if (*fake->then.node)
        fake->look = fake->then;
    code = fake->fresh;
    meanwhile = fake->meanwhile;
    fake->meanwhile = NULL;
    pthread_mutex_unlock(&fake->mutex);
    if (meanwhile)
        meanwhile();
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "broker k1:9092 is silent");
}

static inline enum dbk_code fake_hand_over(void *context, const char *node,
                                           int timeout_ms, struct dbk_error *err)
{
    struct fake *fake = context;
    enum dbk_code code;

    (void)timeout_ms;
    pthread_mutex_lock(&fake->mutex);
    strcpy(fake->handed, node);
    code = fake->hand_over;
    pthread_mutex_unlock(&fake->mutex);
    return code == DBK_OK ? DBK_OK
                          : dbk_fail(err, code, "There is no member called %s", node);
}

static inline enum dbk_code fake_members(void *context, char **json, size_t *length,
                                         struct dbk_error *err)
{
    struct fake *fake = context;
    enum dbk_code code;

    pthread_mutex_lock(&fake->mutex);
    code = fake->members;
    pthread_mutex_unlock(&fake->mutex);
    if (code != DBK_OK)
        return dbk_fail(err, code, "broker k1:9092 is silent");
    *json = strdup("[{\"node\":\"n1\"},{\"node\":\"n2\"}]");
    *length = *json ? strlen(*json) : 0;
    return *json ? DBK_OK : DBK_NO_MEMORY;
}

static inline void fake_init(struct fake *fake)
{
    memset(fake, 0, sizeof *fake);
    pthread_mutex_init(&fake->mutex, NULL);
    fake->membership = (struct dbk_membership){.context = fake,
                                               .look = fake_look,
                                               .fresh = fake_fresh,
                                               .hand_over = fake_hand_over,
                                               .members = fake_members};
}

/* This one is node; leader "": nobody is known to lead. */
static inline void fake_set(struct fake *fake, const char *node, const char *state,
                            const char *leader, const char *url)
{
    struct dbk_membership_look look = {.next = 41, .epoch = 7, .end = 45};

    look.leads = strcmp(state, "leads") == 0;
    strcpy(look.node, node);
    strcpy(look.state, state);
    strcpy(look.leader, leader);
    strcpy(look.leader_url, url);
    pthread_mutex_lock(&fake->mutex);
    fake->look = look;
    pthread_mutex_unlock(&fake->mutex);
}

#endif
