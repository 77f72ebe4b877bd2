/* batch_read.h - the text of an item, read again where its verdict needs it. Private to the
 * batch_*.c files. */
#ifndef DBK_HTTP_BATCH_READ_H
#define DBK_HTTP_BATCH_READ_H

#include "batch_item.h"

/* Whether the token may not send such an item, whatever is in it. */
bool batch_is_forbidden(const struct batch_frame *frame, const struct batch_item *item);

/* As the dbk_body_ function of its kind (http/body.h). */
enum dbk_code batch_read(const struct batch_frame *frame, const struct batch_item *item,
                         struct dbk_body *body, struct dbk_field_errors *fields,
                         struct dbk_error *err);

#endif
