/* data_file.h - looks at data.mdb before LMDB is let near it: is it whole?
 *
 * LMDB takes an empty file for a new one and writes to it; and it does not look whether a
 * file is as long as its last commit says: reading a page past its end is a SIGBUS. So
 * this reads the pages that tell, in LMDB's own format (0.9, data version 1), and changes
 * nothing: a file that was cut stays the evidence that it is.
 *
 * Private to the store.
 */
#ifndef DBK_STORE_DATA_FILE_H
#define DBK_STORE_DATA_FILE_H

#include "store/error.h"

#include <stdbool.h>

/* *empty receives whether the file at path has no bytes, which is as good as none: whoever
 * made it was killed before its first write.
 *
 * A file may rightly be shorter than its last commit says, by pages that were freed before
 * they were ever written. So where it is short, every page that is missing must be among
 * the free ones.
 *
 * DBK_DAMAGED      no LMDB file; or cut off; or its two meta pages cannot both be right
 * DBK_UNSUPPORTED  of another version of LMDB
 * DBK_IO
 */
enum dbk_code data_file_check(const char *path, bool *empty, struct dbk_error *err);

#endif
