/* audit_dir.h - the files of the audit directory, as those who share it read and write them. */
#ifndef DBK_STORE_AUDIT_DIR_H
#define DBK_STORE_AUDIT_DIR_H

#include "store/proof/notary.h"

/* What to do where dbk_audit_last has DBK_CONFLICT. */
#define AUDIT_DIR_APART                                                                \
    "audit/key is not what signed audit/last: one of the two is another log's, or an " \
    "older one; put the right one back"

/* The path of a file of the directory. DBK_INVALID: too long. */
enum dbk_code audit_dir_path(const char *dir, const char *name,
                             char out[DBK_AUDIT_PATH], struct dbk_error *err);

/* Open a file to read. DBK_NOT_FOUND. DBK_IO: also where it is no file, such as a pipe that
 * nobody writes to, which would be waited for. */
enum dbk_code audit_dir_open(const char *path, int *fd, struct dbk_error *err);

/* All of a file, at most size - 1 bytes, with a NUL behind. DBK_DAMAGED: it is larger. As
 * audit_dir_open. */
enum dbk_code audit_dir_read(const char *path, char *out, size_t size, size_t *length,
                             struct dbk_error *err);

/* Append the key's line to keys.pub. DBK_IO, DBK_NO_ROOM. */
enum dbk_code audit_dir_note_key(const char *dir, const struct dbk_vkey *key,
                                 struct dbk_error *err);

/* Put the keys that sign into `key`. DBK_IO, DBK_NO_ROOM. */
enum dbk_code audit_dir_put_signers(const char *dir,
                                    const struct dbk_audit_signers *signers,
                                    struct dbk_error *err);

/* Put the checkpoint in the place of `last`, on disk when it returns. DBK_IO, DBK_NO_ROOM. */
enum dbk_code audit_dir_put_last(const char *dir,
                                 const struct dbk_signed_checkpoint *last,
                                 struct dbk_error *err);

#endif
