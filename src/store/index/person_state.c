#include "person_state.h"

#include <assert.h>
#include <string.h>

static void copy_text(char *out, size_t size, struct dbk_slice text)
{
    assert(text.length < size);
    if (text.length)
        memcpy(out, text.data, text.length);
    out[text.length] = '\0';
}

void person_state_begin(struct dbk_person_state *state, const struct dbk_record *record,
                        dbk_timestamp recorded_at)
{
    memset(state, 0, sizeof *state);
    state->id = record->subject;
    state->datetime_created =
        record->has_datetime_created ? record->datetime_created : recorded_at;
    state->datetime_modified = state->datetime_created;
    person_state_change(state, &record->person, record->sequence);
}

bool person_state_change(struct dbk_person_state *state,
                         const struct dbk_person_fields *fields, uint64_t sequence)
{
    struct dbk_person_state before = *state;

    if (fields->has & DBK_HAS_EMAIL)
        copy_text(state->email, sizeof state->email, fields->email);
    if (fields->has & DBK_HAS_FIRST_NAME)
        copy_text(state->first_name, sizeof state->first_name, fields->first_name);
    if (fields->has & DBK_HAS_LAST_NAME)
        copy_text(state->last_name, sizeof state->last_name, fields->last_name);
    if (fields->has & DBK_HAS_ROLE)
        state->role = fields->role;
    if (fields->has & DBK_HAS_EXTERNAL_ID)
        copy_text(state->external_id, sizeof state->external_id, fields->external_id);
    if (fields->has & DBK_HAS_PROPERTIES)
        state->properties_sequence = fields->properties.length > 0 ? sequence : 0;
    return strcmp(before.email, state->email) != 0 ||
           strcmp(before.first_name, state->first_name) != 0 ||
           strcmp(before.last_name, state->last_name) != 0 ||
           strcmp(before.external_id, state->external_id) != 0 ||
           before.role != state->role;
}

bool person_state_is_known(const struct dbk_person_state *state, unsigned aliases)
{
    return (state->email[0] && state->first_name[0] && state->last_name[0]) ||
           state->external_id[0] || state->aliases + aliases > 0;
}

void person_state_forget(struct dbk_person_state *state)
{
    state->deleted = true;
    state->email[0] = state->first_name[0] = state->last_name[0] = '\0';
    state->external_id[0] = '\0';
    state->properties_sequence = 0;
    state->aliases = 0;
}
