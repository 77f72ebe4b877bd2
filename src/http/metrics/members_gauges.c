#include "members_gauges.h"

#include "exposition.h"

#include <stdio.h>
#include <string.h>

static void counter(struct dbk_render *out, const char *name, const char *help,
                    uint64_t value)
{
    exposition_begin(out, name, "counter", help);
    exposition_number(out, name, "", value);
}

/* One series a state, so that each can be summed and waited for. */
static void render_state(const struct dbk_membership_look *look, struct dbk_render *out)
{
    static const char name[] = "daybook_cluster_state";
    static const char *const states[] = {"starting", "follows", "opens", "leads",
                                         "halted"};
    char labels[32];

    exposition_begin(out, name, "gauge", "1 for the state that this member is in.");
    for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
        snprintf(labels, sizeof labels, "state=\"%s\"", states[i]);
        exposition_number(out, name, labels, strcmp(look->state, states[i]) == 0);
    }
}

/* What is not known is left out. */
static void offset(struct dbk_render *out, const char *name, const char *help,
                   int64_t value)
{
    if (value >= 0)
        exposition_gauge(out, name, help, (uint64_t)value);
}

void members_gauges_render(const struct dbk_membership_look *look,
                           struct dbk_render *out)
{
    int64_t lag = look->end > look->next ? look->end - look->next : 0;

    exposition_gauge(out, "daybook_cluster_leads", "1 while this member leads.",
                     look->leads);
    exposition_gauge(out, "daybook_cluster_leader_known",
                     "1 while this member leads, or knows which one does.",
                     look->leads || *look->leader);
    render_state(look, out);
    offset(out, "daybook_cluster_epoch",
           "The offset of the opening that the leader leads since.", look->epoch);
    offset(out, "daybook_cluster_next_offset",
           "The first message that is not applied here.", look->next);
    offset(out, "daybook_cluster_end_offset",
           "The end of the stream, as it was seen last.", look->end);
    offset(out, "daybook_cluster_lag_messages",
           "Messages of the stream that are not applied here.",
           look->end >= 0 && look->next >= 0 ? lag : -1);
    counter(out, "daybook_cluster_batches_total",
            "Batches of a leader that were applied here.", look->batches);
    counter(out, "daybook_cluster_voids_total", "Batches of who led no longer.",
            look->voids);
    counter(out, "daybook_cluster_openings_total",
            "Changes of the leader that were seen here.", look->openings);
    counter(out, "daybook_cluster_ships_total", "Commits that this member has shipped.",
            look->ships);
    exposition_begin(out, "daybook_cluster_ship_seconds_total", "counter",
                     "Time that those took until the others had them.");
    exposition_seconds(out, "daybook_cluster_ship_seconds_total", "",
                       look->ship_seconds > 0 ? (uint64_t)(look->ship_seconds * 1e6)
                                              : 0);
}
