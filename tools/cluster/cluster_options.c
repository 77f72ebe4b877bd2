#include "cluster_options.h"

#include "privileges.h"
#include "replica_built.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool cluster_joins(const struct config *config)
{
    return *config_text(config, SETTING_CLUSTER_BROKERS) != '\0';
}

/* The first part of the host's name: as it is called in its own prompt. */
static enum dbk_code name_host(char out[DBK_REPLICA_NAME_MAX + 1],
                               struct dbk_error *err)
{
    char name[HOST_NAME_MAX + 1] = "";
    size_t length;

    if (gethostname(name, sizeof name - 1) != 0)
        *name = '\0';
    length = strcspn(name, ".");
    for (size_t i = 0; i < length; i++) {
        if (!isalnum((unsigned char)name[i]) && !strchr("-_", name[i]))
            length = 0;
    }
    if (length == 0 || length > DBK_REPLICA_NAME_MAX)
        return dbk_fail(
            err, DBK_INVALID,
            "this host's name \"%.64s\" is none for a node: set CLUSTER_NODE", name);
    memcpy(out, name, length);
    out[length] = '\0';
    return DBK_OK;
}

/* It has passwords and keys: whoever else may read it is a mistake, and whoever else owns
 * it could change where the records go. */
static enum dbk_code check_kafka(const struct config *config, struct dbk_error *err)
{
    const char *path = config_text(config, SETTING_CLUSTER_KAFKA);
    const char *origin = config_origin(config, SETTING_CLUSTER_KAFKA);
    struct passwd *owner;
    struct stat status;
    char user[33];

    if (!*path)
        return DBK_OK;
    privileges_user(user);
    if (stat(path, &status) != 0)
        return dbk_fail(err, errno == ENOENT ? DBK_INVALID : DBK_IO,
                        "CLUSTER_KAFKA from %s: %.300s: %s (this runs as the user %s)",
                        origin, path, strerror(errno), user);
    if (!S_ISREG(status.st_mode))
        return dbk_fail(err, DBK_INVALID, "CLUSTER_KAFKA from %s: %.300s is no file",
                        origin, path);
    if (status.st_uid != geteuid()) {
        owner = getpwuid(status.st_uid);
        return dbk_fail(err, DBK_INVALID,
                        "CLUSTER_KAFKA from %s: %.300s belongs to the user %.32s, and "
                        "this runs as %s: chown %s it",
                        origin, path, owner ? owner->pw_name : "of another system",
                        user, user);
    }
    if (status.st_mode & 077)
        return dbk_fail(
            err, DBK_INVALID,
            "CLUSTER_KAFKA from %s: %.300s is open to others than its owner "
            "(mode %03o), and may hold passwords: chmod 600 it",
            origin, path, (unsigned)status.st_mode & 0777U);
    return DBK_OK;
}

enum dbk_code cluster_options_read(const struct config *config,
                                   struct cluster_options *out, struct dbk_error *err)
{
    const char *node = config_text(config, SETTING_CLUSTER_NODE);

    if (!cluster_joins(config))
        return dbk_fail(err, DBK_INVALID,
                        "CLUSTER_BROKERS is empty: say where the brokers are, as "
                        "k1.example.org:9092,k2.example.org:9092");
    if (replica_check_built(err) != DBK_OK)
        return err->code;
    if (check_kafka(config, err) != DBK_OK)
        return err->code;
    if (!*node && name_host(out->host, err) != DBK_OK)
        return err->code;
    out->replica = (struct dbk_replica_options){
        .brokers = config_text(config, SETTING_CLUSTER_BROKERS),
        .topic = config_text(config, SETTING_CLUSTER_TOPIC),
        .node = *node ? node : out->host,
        .url = config_text(config, SETTING_CLUSTER_URL),
        .follower = config_number(config, SETTING_CLUSTER_ROLE) == 1,
        .unsafe = config_boolean(config, SETTING_CLUSTER_UNSAFE),
        .session_ms = (int)config_number(config, SETTING_CLUSTER_SESSION),
        .retention_days = config_number(config, SETTING_RETENTION),
    };
    if (*config_text(config, SETTING_CLUSTER_KAFKA))
        out->replica.properties = config_text(config, SETTING_CLUSTER_KAFKA);
    return DBK_OK;
}
