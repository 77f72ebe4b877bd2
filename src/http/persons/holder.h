/* holder.h - who has what a refused command asked for. */
#ifndef DBK_HTTP_HOLDER_H
#define DBK_HTTP_HOLDER_H

#include "request.h"
#include "store/command.h"

/* The field that this is. */
const char *holder_field(enum dbk_identity held);

/* Where the verdict names who has the e-mail, the external id or the anonymous id, and
 * whoever asks may read: put into fields which it is, and who. Else they are left alone. */
void holder_tell(const struct request *rq, const struct dbk_command *command,
                 struct dbk_field_errors *fields);

#endif
