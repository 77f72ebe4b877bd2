#include "serve_check.h"

#include "directory.h"
#include "escape.h"
#include "http/server.h"
#include "http/tokens.h"
#include "leftovers.h"
#include "policy_file.h"
#include "privileges.h"
#include "serve_check_private.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

void serve_check_tell(struct serve_check *check, enum verdict verdict, const char *what,
                      const char *format, ...)
{
    static const char *const words[] = {"ok", "warn", "wrong"};
    char text[2 * PATH_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("%-6s %-10s ", words[verdict], what);
    escape_plain(stdout, dbk_slice(text));
    putchar('\n');
    check->wrong = check->wrong || verdict == WRONG;
}

/* They have been read, or we would not be here. */
static void check_settings(struct serve_check *check)
{
    const struct config *config = check->tool->config;
    char text[1024] = "all are right";
    size_t length = strlen(text), told = 0;

    for (enum setting i = 0; i < SETTING_COUNT; i++) {
        const char *origin = config_origin(config, i);

        if (!origin || !strcmp(origin, "the default") || length >= sizeof text)
            continue;
        length += (size_t)snprintf(text + length, sizeof text - length, "%s %s by %s",
                                   told++ ? "," : ";", config_table[i].name, origin);
    }
    if (*config_mistyped(config))
        serve_check_tell(check, WARN, "settings", "%s", config_mistyped(config));
    else
        serve_check_tell(check, RIGHT, "settings", "%s", text);
}

static void check_directory(struct serve_check *check)
{
    const char *dir = config_text(check->tool->config, SETTING_DATA_DIR);
    char path[PATH_MAX], user[33];

    directory_absolute(dir, path);
    privileges_user(user);
    if (access(dir, R_OK | W_OK | X_OK) == 0)
        serve_check_tell(check, RIGHT, "directory", "%s, as the user %s", path, user);
    else if (errno == ENOENT)
        serve_check_tell(check, WARN, "directory", "%s would be made", path);
    else
        serve_check_tell(check, WRONG, "directory", "%s, as the user %s: %s", path,
                         user, strerror(errno));
}

/* Its lock is only looked at, by taking it for a moment, beside others who look. */
static void check_served(struct serve_check *check)
{
    char path[PATH_MAX + 16];
    int fd;

    snprintf(path, sizeof path, "%s/serve.lock",
             config_text(check->tool->config, SETTING_DATA_DIR));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    check->served = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    if (check->served)
        serve_check_tell(check, WARN, "server",
                         "one runs on this directory now: it must end first");
}

static void check_leftovers(struct serve_check *check)
{
    struct leftovers *leftovers = malloc(sizeof *leftovers);

    if (!leftovers)
        return;
    leftovers_find(check->tool->config, leftovers);
    for (size_t i = 0; i < leftovers->count; i++) {
        if (!leftovers->list[i].in_use)
            serve_check_tell(check, WARN, "left",
                             "%s, %" PRIu64 " KiB: daybook clean removes it",
                             leftovers->list[i].path, leftovers->list[i].bytes / 1024);
    }
    free(leftovers);
}

static void check_tokens(struct serve_check *check)
{
    const struct config *config = check->tool->config;
    bool required = config_boolean(config, SETTING_REQUIRE_TOKENS);
    struct dbk_error err;
    size_t count;
    enum dbk_code code =
        dbk_tokens_allow(config_text(config, SETTING_DATA_DIR),
                         config_text(config, SETTING_HOST), &count, &err);

    if (code == DBK_INVALID && !required) {
        serve_check_tell(check, WRONG, "tokens", "HOST from %s: %s",
                         config_origin(config, SETTING_HOST), err.text);
        check->misused = true;
    } else if (code != DBK_OK && code != DBK_INVALID) {
        serve_check_tell(check, WRONG, "tokens", "%s", err.text);
    } else if (count > 0) {
        serve_check_tell(check, RIGHT, "tokens", "%zu: each request must bring one",
                         count);
    } else if (required) {
        serve_check_tell(
            check, WARN, "tokens",
            "none, and REQUIRE_TOKENS is set: everyone would be refused until there is "
            "one (daybook token create)");
    } else {
        serve_check_tell(check, WARN, "tokens",
                         "none: nobody on this machine would be asked");
    }
}

static void check_port(struct serve_check *check)
{
    const char *address = config_text(check->tool->config, SETTING_HOST);
    unsigned port = (unsigned)config_number(check->tool->config, SETTING_PORT);
    struct dbk_error err;
    enum dbk_code code = dbk_server_check(address, port, &err);

    if (code == DBK_OK)
        serve_check_tell(check, RIGHT, "port", "%s:%u is free", address, port);
    else if (code == DBK_CONFLICT && check->served)
        serve_check_tell(check, WARN, "port",
                         "%s:%u is taken, by the server that runs perhaps", address,
                         port);
    else
        serve_check_tell(check, WRONG, "port", "%s:%u: %s", address, port, err.text);
}

static void check_policy(struct serve_check *check)
{
    const char *path = config_text(check->tool->config, SETTING_AUDIT_POLICY);
    struct dbk_policy *policy;
    struct dbk_error err;

    if (!*path)
        return;
    if (policy_file_read(path, &policy, &err) != DBK_OK) {
        serve_check_tell(check, WRONG, "witnesses", "%s", err.text);
        check->misused = true;
        return;
    }
    serve_check_tell(check, RIGHT, "witnesses", "%zu in %s", policy->witness_count,
                     path);
    dbk_policy_destroy(policy);
}

enum tool_exit serve_check(const struct tool *tool)
{
    struct serve_check check = {.tool = tool};

    check_settings(&check);
    check_directory(&check);
    check_served(&check);
    serve_check_log(&check);
    serve_check_brokers(&check);
    check_leftovers(&check);
    check_tokens(&check);
    check_port(&check);
    check_policy(&check);
    serve_check_database(&check);
    dbk_log_close(check.log);
    if (check.misused)
        return TOOL_MISUSED;
    return check.wrong ? TOOL_FAILED : TOOL_DONE;
}
