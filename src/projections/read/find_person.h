/* find_person.h - persons by id: gathered (dbk_read_person), or one alone. */
#ifndef DBK_PROJECTIONS_FIND_PERSON_H
#define DBK_PROJECTIONS_FIND_PERSON_H

#include "gather.h"
#include "projections/read_model.h"
#include "store/clock.h"

/* How many persons are asked for together, at most. */
#define FIND_TOGETHER_MAX 16

/* What is shown of a person's events is at most 1 MiB. This many, none larger, cannot come
 * to more, so nobody needs to add them up: beside its properties an event takes 256 bytes,
 * and 1,400 more with the longest type and anonymous id (person_get.sql). */
#define FIND_EVENTS_MAX 100
#define FIND_PROPERTIES_MAX ((1 << 20) / FIND_EVENTS_MAX - 256 - 1400)

/* Make the model's gather ready, for so many processors; gather_finish ends it. */
void find_persons_init(struct dbk_read_model *model, unsigned processors);

/* Answer look-ups that are at hand together, FIND_TOGETHER_MAX at most. */
void find_persons_now(struct dbk_read_model *model, struct look_up *const *asked,
                      size_t count);

/* Add one to rows that has large events among those shown, or of whom many are asked for; who
 * is not there is left out. asker: of a list, or NULL. Errors as read_model.h has them. */
enum dbk_code find_person_alone(struct dbk_read_model *model,
                                const struct dbk_asker *asker, dbk_deadline deadline,
                                const struct dbk_uuid *id, unsigned limit,
                                struct dbk_rows *rows, struct dbk_error *err);

#endif
