/* policy_file.h - AUDIT_POLICY. */
#ifndef DBK_TOOLS_POLICY_FILE_H
#define DBK_TOOLS_POLICY_FILE_H

#include "store/proof/checkpoint.h"

/* Read a policy file; free it by dbk_policy_destroy. DBK_INVALID and others as
 * dbk_policy_parse, with the path before; DBK_IO. */
enum dbk_code policy_file_read(const char *path, struct dbk_policy **policy,
                               struct dbk_error *err);

#endif
