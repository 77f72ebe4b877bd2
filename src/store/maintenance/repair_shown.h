/* repair_shown.h - what the indexes of a damaged log say of records that it has lost.
 * Private to the store. */
#ifndef DBK_STORE_REPAIR_SHOWN_H
#define DBK_STORE_REPAIR_SHOWN_H

#include "store/uuid.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether the log in dir has it in its indexes that its record `sequence` is about the
 * person or event `subject`. So that record is the one, as are those before it: another
 * history has another id there. False, too, where that cannot be read. In a child process:
 * for processes that have no other threads that take locks. */
bool repair_is_shown(const char *dir, uint64_t sequence,
                     const struct dbk_uuid *subject);

#endif
