/* audit_file.h - small files that an auditor brings: keys, checkpoints, policies. */
#ifndef DBK_TOOLS_AUDIT_FILE_H
#define DBK_TOOLS_AUDIT_FILE_H

#include "command.h"
#include "store/proof/checkpoint.h"

/* All of a file ("-": standard input) that has less than 256 KiB, with a NUL behind. Free
 * *bytes. DBK_NOT_FOUND, DBK_TOO_LARGE, DBK_IO, DBK_NO_MEMORY. */
enum dbk_code audit_file_read(const char *path, char **bytes, size_t *length,
                              struct dbk_error *err);

/* Whom checkpoints must be signed by. */
#define AUDIT_KEYS_MAX 64
struct audit_keys {
    struct dbk_policy *policy; /* NULL: none */
    struct dbk_vkey keys[AUDIT_KEYS_MAX];
    size_t count;
    bool own; /* they are from the audit directory itself */
};

/* Those of a text: a key, or the path of a file of some, a line each. DBK_INVALID,
 * DBK_NOT_FOUND, DBK_UNSUPPORTED, DBK_TOO_LARGE, DBK_IO, DBK_NO_MEMORY. */
enum dbk_code audit_keys_parse(const char *text, struct audit_keys *keys,
                               struct dbk_error *err);

/* By --vkey (as above) and --policy; without either, those in
 * the audit directory. Finish it either way. DBK_INVALID, DBK_NOT_FOUND, DBK_DAMAGED, ... */
enum dbk_code audit_keys_read(const struct tool *tool, struct audit_keys *keys,
                              struct dbk_error *err);
void audit_keys_finish(struct audit_keys *keys);

/* A checkpoint from a file, with what believing it rests on. */
struct audit_checkpoint {
    char path[4096];
    struct dbk_log_checkpoint is;
    char *text; /* the note, with a NUL behind; owned */
    size_t length;
    uint64_t witnesses; /* of the policy, a bit each */
};

/* What a checkpoint says, whoever signed it. DBK_INVALID, DBK_TOO_LARGE, DBK_UNSUPPORTED,
 * DBK_NO_MEMORY. */
enum dbk_code audit_checkpoint_parse(struct dbk_slice note,
                                     struct dbk_log_checkpoint *out,
                                     struct dbk_error *err);

/* Hold the signatures of one that was read against the keys: its text is taken over, and name
 * stands for its path, with which err begins. Errors as dbk_log_checkpoint_open and
 * dbk_policy_open. Free its text either way. */
enum dbk_code audit_checkpoint_take(const struct audit_keys *keys, const char *name,
                                    char *text, size_t length,
                                    struct audit_checkpoint *out,
                                    struct dbk_error *err);

/* Read it, and do that. Errors as audit_file_read, too. */
enum dbk_code audit_checkpoint_read(const struct audit_keys *keys, const char *path,
                                    struct audit_checkpoint *out,
                                    struct dbk_error *err);

#endif
