/* person_answer.h - a person that was just written, or sent again. */
#ifndef DBK_HTTP_PERSON_ANSWER_H
#define DBK_HTTP_PERSON_ANSWER_H

#include "request.h"
#include "response.h"
#include "store/command.h"

/* Answer 200 with the person as reading it shows it, once the read tables have what was
 * `written` (a sequence; 0: all that was before this request); where they cannot show just
 * this version, as the log has it, without events, and the details say why. Who may not
 * read is shown the id, and the fields that the request named, as they came. */
enum dbk_code person_answer(struct request *rq, struct response *rs,
                            const struct dbk_person_state *person,
                            const struct dbk_person_fields *named, uint64_t written,
                            struct dbk_error *err);

/* Answer 201 with a person that was just made (named: NULL), or whose making is told again,
 * from its person.created and its signup, which is left out where it was forgotten by age.
 * Where the person was restricted since, and this
 * request may not be told of it, that is the id, and the fields that the request named. */
enum dbk_code person_answer_created(const struct request *rq, struct response *rs,
                                    const struct dbk_record pair[2],
                                    const struct dbk_person_fields *named,
                                    const struct dbk_verdict *verdict,
                                    struct dbk_error *err);

#endif
