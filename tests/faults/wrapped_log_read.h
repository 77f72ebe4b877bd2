/* wrapped_log_read.h - declares what a program defines that is linked with
 * -Wl,--wrap=dbk_log_read, to change or delay what the log is read as. */
#ifndef WRAPPED_LOG_READ_H
#define WRAPPED_LOG_READ_H

#include "store/log.h"

enum dbk_code __real_dbk_log_read(struct dbk_log *log, uint64_t after,
                                  size_t max_records, size_t max_bytes,
                                  struct dbk_batch *batch, struct dbk_error *err);
enum dbk_code __wrap_dbk_log_read(struct dbk_log *log, uint64_t after,
                                  size_t max_records, size_t max_bytes,
                                  struct dbk_batch *batch, struct dbk_error *err);

#endif
