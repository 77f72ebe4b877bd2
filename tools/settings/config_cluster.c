#include "config_cluster.h"

#include "http/tokens.h"

#include <stdlib.h>
#include <string.h>

/* What somebody may have put a password into is not shown. */
static enum dbk_code refuse(const struct config *config, enum setting setting,
                            const char *why, struct dbk_error *err)
{
    if (strchr(config_text(config, setting), '@'))
        return dbk_fail(err, DBK_INVALID, "%s from %s: %s", config_table[setting].name,
                        config_origin(config, setting), why);
    return dbk_fail(err, DBK_INVALID, "%s from %s is \"%.64s\": %s",
                    config_table[setting].name, config_origin(config, setting),
                    config_text(config, setting), why);
}

/* host:port; the host may be [an IPv6 address]. A URL, or another list, is none. */
static bool is_broker(const char *text, size_t length)
{
    const char *colon = memrchr(text, ':', length);
    size_t host = colon ? (size_t)(colon - text) : 0, digits;
    long port;

    if (host == 0 || memchr(text, '/', length) || memchr(text, '@', length) ||
        memchr(text, ' ', length))
        return false;
    if (memchr(text, ':', host) && (text[0] != '[' || colon[-1] != ']'))
        return false;
    digits = strspn(colon + 1, "0123456789");
    port = strtol(colon + 1, NULL, 10);
    return digits == length - host - 1 && digits > 0 && digits <= 5 && port > 0 &&
           port <= 65535;
}

static bool are_brokers(const char *text)
{
    for (;;) {
        size_t length = strcspn(text, ",");

        if (!is_broker(text, length))
            return false;
        if (text[length] == '\0')
            return true;
        text += length + 1;
    }
}

/* Names of topics and groups are made of it. "." and ".." are names of no topic. */
static bool is_name(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                             "0123456789._-")] == '\0' &&
           strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static enum dbk_code check_each(const struct config *config, struct dbk_error *err)
{
    static const enum setting names[] = {SETTING_CLUSTER_TOPIC, SETTING_CLUSTER_NODE};
    const char *brokers = config_text(config, SETTING_CLUSTER_BROKERS);
    const char *url = config_text(config, SETTING_CLUSTER_URL);

    if (*brokers && !are_brokers(brokers))
        return refuse(config, SETTING_CLUSTER_BROKERS,
                      "host:port is allowed, as k1.example.org:9092, separated by "
                      "commas without spaces",
                      err);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!is_name(config_text(config, names[i])))
            return refuse(config, names[i],
                          "letters, digits, '.', '_' and '-' are allowed", err);
    }
    if (*url && !dbk_origin_valid(url))
        return refuse(config, SETTING_CLUSTER_URL,
                      "http:// or https://, a name in small letters and, where it is "
                      "not the scheme's own, a port are allowed, and nothing behind "
                      "them: https://db1.example.org",
                      err);
    return DBK_OK;
}

enum dbk_code config_cluster_check(const struct config *config, unsigned groups,
                                   struct dbk_error *err)
{
    bool joins = *config_text(config, SETTING_CLUSTER_BROKERS) != '\0';
    bool serves = (groups & CONFIG_GROUP_SERVE) != 0;

    if (!(groups & CONFIG_GROUP_CLUSTER))
        return DBK_OK;
    if (check_each(config, err) != DBK_OK)
        return err->code;
    if (joins && serves && !*config_text(config, SETTING_CLUSTER_URL))
        return dbk_fail(
            err, DBK_INVALID,
            "CLUSTER_BROKERS from %s, and no CLUSTER_URL: say where clients "
            "reach this machine, as https://db1.example.org",
            config_origin(config, SETTING_CLUSTER_BROKERS));
    if (!joins && serves && config_boolean(config, SETTING_CLUSTER_FORWARD))
        return dbk_fail(err, DBK_INVALID,
                        "CLUSTER_FORWARD from %s: it is for several machines; set "
                        "CLUSTER_BROKERS, or leave it out",
                        config_origin(config, SETTING_CLUSTER_FORWARD));
    return DBK_OK;
}
