/* find_person.h - persons by id, gathered: dbk_read_person. */
#ifndef DBK_PROJECTIONS_FIND_PERSON_H
#define DBK_PROJECTIONS_FIND_PERSON_H

struct dbk_read_model;

/* Make the model's gather ready, for so many processors; gather_finish ends it. */
void find_persons_init(struct dbk_read_model *model, unsigned processors);

#endif
