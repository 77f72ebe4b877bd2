#include "cluster_print.h"

#include "escape.h"
#include "members_json.h"
#include "store/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A machine tells of itself each second. */
enum { TOLD_MS = 3000, AHEAD_MS = 2000, AGAIN_MS = 1500, MEMBERS_MS = 10000 };

static int64_t age_ms(const struct dbk_replica_member *member)
{
    return (dbk_timestamp_now() - member->at) / 1000;
}

static bool was_seen(const struct dbk_replica_member *member,
                     const struct dbk_replica_options *options)
{
    int64_t age = age_ms(member);

    return age >= -AHEAD_MS && age < TOLD_MS + options->session_ms;
}

static const struct dbk_replica_member *find(const struct dbk_replica_members *members,
                                             const char *node)
{
    for (size_t i = 0; i < members->count; i++) {
        if (!strcmp(members->list[i].node, node))
            return &members->list[i];
    }
    return NULL;
}

/* What it told before and after a while tells whether it is there. */
static void compare(const struct dbk_replica_members *before,
                    struct dbk_replica_members *after,
                    const struct dbk_replica_options *options)
{
    for (size_t i = 0; i < after->count; i++) {
        struct dbk_replica_member *one = &after->list[i];
        const struct dbk_replica_member *old = find(before, one->node);

        if (was_seen(one, options) || !old)
            continue;
        if (old->at != one->at)
            one->at = dbk_timestamp_now();
        else if (age_ms(one) < 0)
            one->at = 0;
    }
}

enum dbk_code cluster_look(const struct dbk_replica_options *options,
                           struct dbk_replica_members *out, struct dbk_error *err)
{
    struct dbk_replica_members before;
    bool all = true;
    enum dbk_code code = dbk_replica_members(options, MEMBERS_MS, out, err);

    for (size_t i = 0; code == DBK_OK && i < out->count; i++)
        all = all && was_seen(&out->list[i], options);
    if (code != DBK_OK || all)
        return code;
    before = *out;
    dbk_sleep_ms(AGAIN_MS);
    code = dbk_replica_members(options, MEMBERS_MS, out, err);
    if (code == DBK_OK)
        compare(&before, out, options);
    dbk_replica_members_finish(&before);
    return code;
}

bool cluster_is_well(const struct dbk_replica_members *members,
                     const struct dbk_replica_options *options)
{
    const struct dbk_replica_member *leader =
        *members->leader ? find(members, members->leader) : NULL;

    for (size_t i = 0; i < members->count; i++) {
        if (!was_seen(&members->list[i], options) ||
            !strcmp(members->list[i].state, "halted"))
            return false;
    }
    return leader && !strcmp(leader->state, "leads");
}

/* "1 s ago", "3 h ago". */
static void write_age(const struct dbk_replica_member *member, char out[32])
{
    int64_t seconds = age_ms(member) / 1000;

    if (member->at == 0)
        snprintf(out, 32, "?");
    else if (seconds < 120)
        snprintf(out, 32, "%" PRId64 " s ago", seconds > 0 ? seconds : 0);
    else if (seconds < 7200)
        snprintf(out, 32, "%" PRId64 " min ago", seconds / 60);
    else if (seconds < 172800)
        snprintf(out, 32, "%" PRId64 " h ago", seconds / 3600);
    else
        snprintf(out, 32, "%" PRId64 " days ago", seconds / 86400);
}

static int node_width(const struct dbk_replica_members *members)
{
    int width = 4;

    for (size_t i = 0; i < members->count; i++) {
        int length = (int)strlen(members->list[i].node);

        width = length > width ? length : width;
    }
    return width;
}

static void print_member(const struct dbk_replica_members *members,
                         const struct dbk_replica_options *options, size_t i, int width)
{
    const struct dbk_replica_member *one = &members->list[i];
    int64_t lag = members->end - one->next;
    char age[32], row[512];

    write_age(one, age);
    snprintf(row, sizeof row,
             "%-*s  %-8s  %-8s  %12" PRIu64 "  %6" PRId64 "  %12" PRIu64 "  %-10s  %s",
             width, one->node, one->role,
             was_seen(one, options) ? one->state : "not seen", one->head,
             lag > 0 ? lag : 0, one->projected, age, one->url);
    escape_plain(stdout, dbk_slice(row));
    putchar('\n');
}

/* While it is rotated, those who have done so have another than those who have not. */
static void print_master_keys(const struct dbk_replica_members *members)
{
    const char *first = members->list[0].master_key;
    bool any = false, differ = false;

    for (size_t i = 0; i < members->count; i++) {
        any = any || *members->list[i].master_key;
        differ = differ || strcmp(first, members->list[i].master_key) != 0;
    }
    if (!any)
        return;
    if (!differ) {
        printf("\nmaster key    %s, at all\n", first);
        return;
    }
    puts("");
    for (size_t i = 0; i < members->count; i++) {
        const struct dbk_replica_member *one = &members->list[i];

        printf("%s%s at %s\n", i == 0 ? "master keys   " : "              ",
               *one->master_key ? one->master_key : "none told", one->node);
    }
    puts("              daybook keys rotate where it has not been yet");
}

static void write_retention(const struct dbk_replica_member *one, char out[32])
{
    if (one->retention_days > 0)
        snprintf(out, 32, "events:%" PRId64 "d", one->retention_days);
    else
        snprintf(out, 32, one->retention_days == 0 ? "none" : "not told");
}

/* Whoever leads goes by its own. */
static void print_retention(const struct dbk_replica_members *members)
{
    int64_t first = members->list[0].retention_days;
    bool any = false, differ = false;
    char one[32];

    for (size_t i = 0; i < members->count; i++) {
        any = any || members->list[i].retention_days > 0;
        differ = differ || members->list[i].retention_days != first;
    }
    if (!any)
        return;
    puts("");
    write_retention(&members->list[0], one);
    if (!differ) {
        printf("retention     %s, at all\n", one);
        return;
    }
    for (size_t i = 0; i < members->count; i++) {
        write_retention(&members->list[i], one);
        printf("%s%s at ", i == 0 ? "retention     " : "              ", one);
        escape_plain(stdout, dbk_slice(members->list[i].node));
        putchar('\n');
    }
    puts("              set RETENTION to the same at all: whoever leads goes by its "
         "own");
}

void cluster_print_text(const struct dbk_replica_members *members,
                        const struct dbk_replica_options *options)
{
    int width = node_width(members);

    printf("topic         %s, %" PRId64 " messages\n", options->topic, members->end);
    if (*members->leader)
        printf("leader        %s, since message %" PRId64 "\n", members->leader,
               members->epoch);
    else
        puts("leader        none yet");
    if (members->count == 0) {
        puts("members       none has been seen yet");
        return;
    }
    printf("\n%-*s  %-8s  %-8s  %12s  %6s  %12s  %-10s  %s\n", width, "node", "role",
           "state", "head", "lag", "projected", "seen", "url");
    for (size_t i = 0; i < members->count; i++)
        print_member(members, options, i, width);
    print_master_keys(members);
    print_retention(members);
}

void cluster_print_json(const struct dbk_replica_members *members,
                        const struct dbk_replica_options *options)
{
    struct dbk_render list = {0};

    fputs("{\"topic\":", stdout);
    escape_string(stdout, options->topic);
    printf(",\"end\":%" PRId64 ",\"leader\":", members->end);
    if (*members->leader)
        escape_string(stdout, members->leader);
    else
        fputs("null", stdout);
    if (members->epoch >= 0)
        printf(",\"epoch\":%" PRId64, members->epoch);
    else
        fputs(",\"epoch\":null", stdout);
    printf(",\"well\":%s,\"members\":",
           cluster_is_well(members, options) ? "true" : "false");
    members_json(members, &list);
    fwrite(list.text, 1, list.length, stdout);
    dbk_render_finish(&list);
    puts("}");
}
