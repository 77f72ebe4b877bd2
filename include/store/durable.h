/* durable.h - names and bytes that outlast a power cut, and what the system's refusals
 * are called.
 *
 * A name is durable once the directory that it lies in was synced, bytes once their file
 * was. All functions may be called by any thread, and fail with DBK_NO_ROOM or DBK_IO as
 * dbk_errno_code says; err may be NULL.
 */
#ifndef DBK_STORE_DURABLE_H
#define DBK_STORE_DURABLE_H

#include "store/error.h"

#include <stddef.h>

/* DBK_NO_ROOM where it tells of room that is missing: ENOSPC, EDQUOT (a quota is used up)
 * and EFBIG (ulimit -f, or a bound of the file system). Else DBK_IO. */
enum dbk_code dbk_errno_code(int number);

/* Fail with what errno says: "doing what: No space left on device". */
enum dbk_code dbk_system_fail(struct dbk_error *err, const char *doing,
                              const char *what);

/* Write all of it, however little each call takes. path is for the error's text. */
enum dbk_code dbk_write_all(int fd, const void *bytes, size_t length, const char *path,
                            struct dbk_error *err);

/* Read until it ends, at most size bytes, however little each call gives. */
enum dbk_code dbk_read_all(int fd, void *out, size_t size, size_t *length,
                           const char *path, struct dbk_error *err);

/* Sync the file that is open as fd; for reading will do. path is for the error's text. */
enum dbk_code dbk_sync_file(int fd, const char *path, struct dbk_error *err);

/* Sync the directory, so that the names in it last. One that we may not read was there
 * before us, and some file systems have no such sync: neither is a failure. */
enum dbk_code dbk_sync_directory(const char *dir, struct dbk_error *err);

/* The same for the directory that path lies in, whose last name slashes may follow. */
enum dbk_code dbk_sync_parent(const char *path, struct dbk_error *err);

/* Give what was written as fd, at tmp, the name path, in place of what has it: whoever
 * looks, after a power cut too, finds the one or the other, whole. The two lie in one
 * directory. On failure what is left at tmp is the caller's to remove; it has been renamed
 * already where only syncing the directory failed. */
enum dbk_code dbk_replace(int fd, const char *tmp, const char *path,
                          struct dbk_error *err);

/* Put a small file in its place, whole and durable: made as path.tmp, which what a killed run
 * left there makes room for, is no link, and is gone where this fails. mode is 0600 for what
 * is its owner's alone. For one process at a time; err as above. */
enum dbk_code dbk_write_file(const char *path, unsigned mode, const void *bytes,
                             size_t length, struct dbk_error *err);

#endif
