/* audit_dir.h - the files of the audit directory, of which the notary writes one. */
#ifndef DBK_STORE_AUDIT_DIR_H
#define DBK_STORE_AUDIT_DIR_H

#include "store/notary.h"

/* Put the checkpoint in the place of `last`, on disk when it returns. DBK_IO, DBK_NO_ROOM. */
enum dbk_code audit_dir_put_last(const char *dir,
                                 const struct dbk_signed_checkpoint *last,
                                 struct dbk_error *err);

#endif
