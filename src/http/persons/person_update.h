/* person_update.h - the update of a person whose id is known. */
#ifndef DBK_HTTP_PERSON_UPDATE_H
#define DBK_HTTP_PERSON_UPDATE_H

#include "body_fields.h"
#include "request.h"
#include "response.h"

/* Do it, as often as others come first, hold If-Match and If-None-Match against the person,
 * and answer. DBK_NOT_FOUND: there is no such person. */
enum dbk_code person_update(struct request *rq, struct response *rs,
                            struct body_update *update, struct dbk_error *err);

#endif
