/* signed_log.h - a log with an audit directory beside it, and what is done to both. */
#ifndef SIGNED_LOG_H
#define SIGNED_LOG_H

#include "log_value.h"
#include "scratch_log.h"
#include "store/proof/notary.h"

#include <fcntl.h>
#include <lmdb.h>
#include <sys/stat.h>

#include <dirent.h>

enum { PATIENCE_MS = 60000 };

static inline void fill(struct scratch *s, const struct dbk_uuid *person, size_t events)
{
    struct dbk_command **commands = calloc(events, sizeof *commands);

    for (size_t i = 0; i < events; i++) {
        struct dbk_record draft = draft_event(person);
        commands[i] = command_of(&draft);
    }
    assert_int_equal(dbk_log_submit(s->log, commands, events, NULL, NULL, &s->err),
                     DBK_OK);
    for (size_t i = 0; i < events; i++)
        dbk_command_destroy(commands[i]);
    free(commands);
}

/* A bit of a record, with its checksum put right: as who may write the file can. */
static inline void change_record(struct scratch *s, uint64_t sequence)
{
    char bytes[4096], copy[4096];
    MDB_val key = {sizeof sequence, &sequence}, value;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;

    dbk_log_close(s->log);
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 16), 0);
    assert_int_equal(mdb_env_set_mapsize(env, (size_t)1 << 30), 0);
    assert_int_equal(mdb_env_open(env, s->dir, MDB_NOTLS, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "log", MDB_INTEGERKEY, &dbi), 0);
    assert_int_equal(mdb_get(txn, dbi, &key, &value), 0);
    memcpy(copy, value.mv_data, value.mv_size);
    copy[3 + (copy[2] & 31) + 17] ^= 1; /* of its time, behind its type */
    log_value_write(bytes, copy, value.mv_size - LOG_VALUE_CHECKSUM);
    value.mv_data = bytes;
    assert_int_equal(mdb_put(txn, dbi, &key, &value, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
    scratch_open(s);
}

static inline void copy_file(const char *from, const char *to)
{
    int in = open(from, O_RDONLY | O_CLOEXEC), out;
    char bytes[65536];
    ssize_t got;

    out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(in >= 0 && out >= 0);
    while ((got = read(in, bytes, sizeof bytes)) > 0)
        assert_int_equal(write(out, bytes, (size_t)got), got);
    close(in);
    close(out);
}

/* With what is in it; of files only. */
static inline void remove_folder(const char *dir)
{
    DIR *folder = opendir(dir);
    char path[600];

    for (struct dirent *at; folder && (at = readdir(folder));) {
        snprintf(path, sizeof path, "%s/%s", dir, at->d_name);
        if (unlink(path) != 0)
            rmdir(path);
    }
    if (folder)
        closedir(folder);
    rmdir(dir);
}

#endif
