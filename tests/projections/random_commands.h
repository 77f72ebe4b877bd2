/* random_commands.h - commands at random about a few persons and their events, so that
 * they meet each other: created, changed, deleted, with emails, external ids and anonymous
 * ids that change hands. */
#ifndef TEST_RANDOM_COMMANDS_H
#define TEST_RANDOM_COMMANDS_H

#include "log_world.h"

/* Repeatable, and the same on every machine. */
static inline uint32_t draw(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % below;
}

/* Texts that some persons have in common, and each but one may have once. */
struct drawn_texts {
    char email[32], external_id[16], anonymous_id[16];
};

static inline void draw_texts(uint32_t *seed, struct drawn_texts *texts)
{
    snprintf(texts->email, sizeof texts->email, "e%u@example.org", draw(seed, 10));
    snprintf(texts->external_id, sizeof texts->external_id, "x%u", draw(seed, 10));
    snprintf(texts->anonymous_id, sizeof texts->anonymous_id, "a%u", draw(seed, 12));
}

static inline struct dbk_person_fields draw_fields(uint32_t *seed, unsigned has,
                                                   const struct drawn_texts *texts)
{
    static const char *const names[] = {"Ada", "Grace", "\xe5\xbe\xb7", ""};

    return (struct dbk_person_fields){
        .has = has,
        .email = dbk_slice(draw(seed, 8) ? texts->email : ""),
        .first_name = dbk_slice(names[draw(seed, 4)]),
        .last_name = dbk_slice(names[draw(seed, 4)]),
        .role = draw(seed, 2) ? DBK_ROLE_ADMIN : DBK_ROLE_USER,
        .external_id = dbk_slice(draw(seed, 3) ? texts->external_id : ""),
        .properties = dbk_slice(draw(seed, 3) ? "{\"plan\": \"a\"}" : ""),
    };
}

static inline struct dbk_command *draw_update(uint32_t *seed, uint32_t person)
{
    static const unsigned bits[] = {DBK_HAS_EMAIL,       DBK_HAS_FIRST_NAME,
                                    DBK_HAS_LAST_NAME,   DBK_HAS_ROLE,
                                    DBK_HAS_EXTERNAL_ID, DBK_HAS_PROPERTIES};
    struct drawn_texts texts;
    unsigned has = bits[draw(seed, 6)];

    for (int i = 0; i < 2; i++)
        has |= bits[draw(seed, 6)];
    draw_texts(seed, &texts);
    return draft_update(person, draw_fields(seed, has, &texts));
}

/* Of those who are no more than an external id, or than an alias in the same command. */
static inline struct dbk_command *draw_create(uint32_t *seed, uint32_t person)
{
    struct drawn_texts texts;
    struct dbk_command *command;

    draw_texts(seed, &texts);
    if (draw(seed, 2))
        return draft_create(person, texts.email);
    command = draft(
        &(struct dbk_record){.type = DBK_PERSON_CREATED,
                             .subject = person_id(person),
                             .person = draw_fields(seed, DBK_HAS_PERSON, &texts)});
    if (draw(seed, 2) &&
        dbk_command_add(
            command,
            &(struct dbk_record){.type = DBK_PERSON_ALIASED,
                                 .subject = person_id(person),
                                 .anonymous_id = dbk_slice(texts.anonymous_id)},
            NULL) != DBK_OK)
        fail_msg("no alias behind a person");
    return command;
}

static inline struct dbk_command *draw_alias(uint32_t *seed, uint32_t person)
{
    struct drawn_texts texts;

    draw_texts(seed, &texts);
    return draw(seed, 3) ? draft_alias(person, texts.anonymous_id)
                         : draft_unalias(person, texts.anonymous_id);
}

/* Of a few types, some of them within a few hours of two days. */
static inline struct dbk_command *draw_event(uint32_t *seed, uint32_t person)
{
    static const char *const types[] = {"signup", "click", "page_view", "page_view",
                                        "page_view"};
    const dbk_timestamp hour = INT64_C(3600000000),
                        first = 1767222000 * INT64_C(1000000);
    struct dbk_record record = {.type = DBK_EVENT_RECORDED,
                                .subject = event_id(draw(seed, 400)),
                                .event_type = dbk_slice(types[draw(seed, 5)]),
                                .properties =
                                    dbk_slice(draw(seed, 2) ? "{\"n\": 12.50}" : "")};
    struct drawn_texts texts;

    draw_texts(seed, &texts);
    if (draw(seed, 2))
        record.person_id = person_id(person);
    else
        record.anonymous_id = dbk_slice(texts.anonymous_id);
    if (draw(seed, 3)) {
        record.has_datetime_created = true;
        record.datetime_created =
            first + draw(seed, 4) * hour + draw(seed, 4) * (hour / 4 - 1);
    }
    return draft(&record);
}

/* Many of these will be refused: taken emails, unknown persons. That is fine. */
static inline struct dbk_command *draw_command(uint32_t *seed)
{
    uint32_t person = draw(seed, 30);

    switch (draw(seed, 16)) {
    case 0:
    case 1:
        return draw_create(seed, person);
    case 2:
    case 3:
    case 4:
        return draw_update(seed, person);
    case 5:
        return draw(seed, 3) == 0 ? draft_delete(person) : draw_update(seed, person);
    case 6:
    case 7:
        return draft_erase(draw(seed, 400));
    case 8:
    case 9:
    case 10:
        return draw_alias(seed, person);
    default:
        return draw_event(seed, person);
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
