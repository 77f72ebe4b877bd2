/* post_erased.h - rows of who was erased that no record leads to any more.
 *
 * An event of an anonymous id is posted as nobody's; a person.aliased makes its row a person's,
 * and the person.erased takes the person's rows away. Where the tables were behind the alias
 * when its key was destroyed, it says nothing any more. Then the events are looked for that
 * nobody can read, by a walk over what is posted: once for all that was erased by then.
 */
#ifndef DBK_PROJECTIONS_POST_ERASED_H
#define DBK_PROJECTIONS_POST_ERASED_H

#include "poster.h"

/* A record that is to be posted, and is erased. Errors as dbk_log_person. */
enum dbk_code post_erased_note(struct poster *poster, const struct dbk_record *record,
                               struct dbk_error *err);

/* Add to the poster's fold the rows that go, if what was noted since the fold was cleared asks for
 * it. Errors as dbk_erasure_find, dbk_log_each; DBK_UNAVAILABLE where the poster is stopping. */
enum dbk_code post_erased_fold(struct poster *poster, struct dbk_error *err);

#endif
