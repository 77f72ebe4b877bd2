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
    person_state_change(state, &record->person);
}

bool person_state_change(struct dbk_person_state *state,
                         const struct dbk_person_fields *fields)
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
    return strcmp(before.email, state->email) != 0 ||
           strcmp(before.first_name, state->first_name) != 0 ||
           strcmp(before.last_name, state->last_name) != 0 ||
           before.role != state->role;
}

void person_state_forget(struct dbk_person_state *state)
{
    state->deleted = true;
    state->email[0] = state->first_name[0] = state->last_name[0] = '\0';
}
