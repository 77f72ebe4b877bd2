/* ingest.h - answers to who only ingests (http/tokens.h): ids, whatever the log knows. */
#ifndef DBK_HTTP_INGEST_H
#define DBK_HTTP_INGEST_H

#include "request.h"
#include "response.h"
#include "store/command.h"

/* Whether a failure says what the log knows. Then it is kept from who only ingests, who is
 * answered as if it were done, and told to the operator (untold.h). */
bool ingest_hides(const struct request *rq, const struct dbk_error *failure);

/* The answer to an event that was brought: 202 with its id, also where the verdict is
 * hidden; else fails as that says. */
enum dbk_code ingest_answer(const struct request *rq, struct response *rs,
                            const struct dbk_record *brought,
                            const struct dbk_verdict *verdict, struct dbk_error *err);

#endif
