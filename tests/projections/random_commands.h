/* random_commands.h - commands at random about a few persons and their events, so that
 * they meet each other: created, changed, deleted, with emails that change hands. */
#ifndef TEST_RANDOM_COMMANDS_H
#define TEST_RANDOM_COMMANDS_H

#include "log_world.h"

/* Repeatable, and the same on every machine. */
static inline uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

static inline struct dbk_command *draw_update(uint32_t *seed, uint32_t person)
{
    static const char *const names[] = {"Ada", "Grace", "\xe5\xbe\xb7"};
    char email[32];
    struct dbk_person_fields fields = {.has = 1 + draw(seed, DBK_HAS_ALL)};

    snprintf(email, sizeof email, "e%u@example.org", draw(seed, 10));
    fields.email = dbk_slice(email);
    fields.first_name = dbk_slice(names[draw(seed, 3)]);
    fields.last_name = dbk_slice(names[draw(seed, 3)]);
    fields.role = draw(seed, 2) ? DBK_ROLE_ADMIN : DBK_ROLE_USER;
    return draft_update(person, fields);
}

/* Many of these will be refused: taken emails, unknown persons. That is fine. */
static inline struct dbk_command *draw_command(uint32_t *seed)
{
    uint32_t person = draw(seed, 30), event = draw(seed, 400);
    char email[32];

    switch (draw(seed, 12)) {
    case 0:
    case 1:
        snprintf(email, sizeof email, "e%u@example.org", draw(seed, 10));
        return draft_create(person, email);
    case 2:
    case 3:
    case 4:
        return draw_update(seed, person);
    case 5:
        return draw(seed, 3) == 0 ? draft_delete(person) : draw_update(seed, person);
    case 6:
    case 7:
        return draft_erase(event);
    default:
        return draft_record(event, person, draw(seed, 2) ? "{\"n\": 12.50}" : "");
    }
}

static inline void submit_random(struct world *world, uint32_t *seed, size_t count)
{
    struct dbk_command *commands[64];

    while (count > 0) {
        size_t some = 1 + draw(seed, 64);

        some = some < count ? some : count;
        for (size_t i = 0; i < some; i++)
            commands[i] = draw_command(seed);
        submit_all(world, commands, some);
        count -= some;
    }
}

#endif
