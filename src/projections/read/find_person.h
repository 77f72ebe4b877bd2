/* find_person.h - persons by id: gathered (dbk_read_person), and those of a list. */
#ifndef DBK_PROJECTIONS_FIND_PERSON_H
#define DBK_PROJECTIONS_FIND_PERSON_H

#include "gather.h"
#include "projections/read_model.h"
#include "store/clock.h"

/* How many events of a person are counted, at most. */
#define FIND_EVENTS_COUNTED_MAX 10000

/* How many persons are asked for together, at most. */
#define FIND_TOGETHER_MAX 16

/* Make the model's gather ready, for so many processors; gather_finish ends it. */
void find_persons_init(struct dbk_read_model *model, unsigned processors);

/* Answer look-ups that are at hand together, FIND_TOGETHER_MAX at most. */
void find_persons_now(struct dbk_read_model *model, struct look_up *const *asked,
                      size_t count);

/* Add those of a list to rows, in the order given; who is not there any more is left out.
 * count is at most FIND_TOGETHER_MAX. Errors as read_model.h has them. */
enum dbk_code find_persons_listed(struct dbk_read_model *model,
                                  const struct dbk_asker *asker, dbk_deadline deadline,
                                  const struct dbk_uuid *ids, size_t count,
                                  unsigned events_limit, struct dbk_rows *rows,
                                  struct dbk_error *err);

#endif
