/* daybook token - makes, lists and revokes the access tokens of the API. */
#include "command.h"
#include "directory.h"
#include "http/tokens.h"
#include "log_place.h"
#include "token_bounds.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *dir_of(const struct tool *tool)
{
    return config_text(tool->config, SETTING_DATA_DIR);
}

/* What is wrong with one token says nothing of where it was looked for. */
static enum tool_exit fail(const struct tool *tool, struct dbk_error *err)
{
    if (err->code == DBK_NOT_FOUND || err->code == DBK_EXISTS ||
        err->code == DBK_TOO_LARGE)
        dbk_wrap(err, "%s", dir_of(tool));
    return tool_fail(tool, err);
}

/* Run elsewhere than the server, ./data is another place: an answer about it would be
 * taken for one about the server's. */
static enum dbk_code check_dir(const struct tool *tool, struct dbk_error *err)
{
    char path[PATH_MAX];
    struct stat status;

    if (stat(dir_of(tool), &status) == 0 || errno != ENOENT)
        return DBK_OK;
    directory_absolute(dir_of(tool), path);
    return dbk_fail(err, DBK_IO, "%.400s: no such directory: give --data-dir", path);
}

/* A first token may come before the first start: what that will make is prepared. A log
 * that is lost is no reason not to make one; but that it is not there is told. */
static enum dbk_code prepare(const struct tool *tool, struct dbk_error *err)
{
    char path[PATH_MAX], line[PATH_MAX + 64];

    if (log_place_has_log(tool->config))
        return DBK_OK;
    directory_absolute(dir_of(tool), path);
    if (log_place_check_new(tool, err) != DBK_OK)
        logger_line(tool->logger, LOG_LEVEL_WARN, err->text);
    else if (log_place_prepare(tool, false, err) != DBK_OK)
        return err->code;
    snprintf(line, sizeof line, "there is no log in %s yet", path);
    logger_line(tool->logger, LOG_LEVEL_WARN, line);
    return DBK_OK;
}

/* How its client may bring it. */
static const char *ways_of(unsigned scopes, const struct dbk_token_bounds *bounds)
{
    if (scopes != DBK_SCOPE_INGEST)
        return "";
    if (*bounds->origins)
        return ", or in a page's beacons as ?key=TOKEN";
    return ".\nWithout --origin only pages of CORS_ORIGINS may send with it";
}

/* The secret alone goes to stdout, so that a script can take it; and it goes nowhere
 * else, ever. */
static enum tool_exit make(const struct tool *tool, const char *name, unsigned scopes,
                           const struct dbk_token_bounds *bounds)
{
    char secret[DBK_TOKEN_SECRET + 1], text[DBK_SCOPES_TEXT];
    struct dbk_error err;

    if (prepare(tool, &err) != DBK_OK)
        return tool_fail(tool, &err);
    if (dbk_tokens_create(dir_of(tool), name, scopes, bounds, secret, &err) != DBK_OK)
        return err.code == DBK_INVALID ? tool_misused(tool, "%s", err.text)
                                       : fail(tool, &err);
    dbk_scopes_format(scopes, text);
    fprintf(stderr,
            "made the token %s (%s) in %s/tokens; it is not shown again. Clients send\n"
            "it as Authorization: Bearer TOKEN%s\n"
            "While there are tokens every request needs one, also on this machine.\n",
            name, text, dir_of(tool), ways_of(scopes, bounds));
    puts(secret);
    explicit_bzero(secret, sizeof secret);
    return TOOL_DONE;
}

static enum dbk_code read_bounds(const struct tool *tool,
                                 struct dbk_token_bounds *bounds, struct dbk_error *err)
{
    const char *rate = tool_value(tool, "--rate");
    const char *address_rate = tool_value(tool, "--address-rate");
    const char *bytes = tool_value(tool, "--bytes-a-day");
    const char *origins = tool_value(tool, "--origin");

    if (rate && token_rate_parse(rate, &bounds->rate, err) != DBK_OK)
        return dbk_wrap(err, "--rate");
    if (address_rate &&
        token_rate_parse(address_rate, &bounds->address_rate, err) != DBK_OK)
        return dbk_wrap(err, "--address-rate");
    if (bytes && token_bytes_parse(bytes, &bounds->bytes_a_day, err) != DBK_OK)
        return dbk_wrap(err, "--bytes-a-day");
    if (origins && token_origins_parse(origins, bounds->origins, err) != DBK_OK)
        return dbk_wrap(err, "--origin");
    return DBK_OK;
}

static enum tool_exit create(const struct tool *tool)
{
    const char *text = tool_value(tool, "--scope");
    struct dbk_token_bounds bounds = {0};
    struct dbk_error err;
    unsigned scopes = 0;

    if (tool->operand_count != 2)
        return tool_misused(tool, "token create needs the NAME of the token");
    if (!text)
        return tool_misused(tool, "token create needs --scope: read, write, audit, "
                                  "admin, ingest, metrics or erase");
    if (!dbk_scopes_parse(text, strlen(text), &scopes))
        return tool_misused(tool,
                            "--scope is \"%.64s\": allowed are read, write, audit, "
                            "admin, ingest, metrics and erase, or several of them",
                            text);
    if (read_bounds(tool, &bounds, &err) != DBK_OK)
        return tool_refuse(tool, &err);
    return make(tool, tool->operands[1], scopes, &bounds);
}

/* Names, scopes and origins need no escaping: they are letters, digits and marks. */
static void print_json_items(char *list)
{
    const char *comma = "";
    char *rest = NULL;

    for (char *one = strtok_r(list, ",", &rest); one;
         one = strtok_r(NULL, ",", &rest)) {
        printf("%s\"%s\"", comma, one);
        comma = ",";
    }
}

static void print_json_bound(const char *key, uint64_t number)
{
    if (number > 0)
        printf(",\"%s\":%llu", key, (unsigned long long)number);
    else
        printf(",\"%s\":null", key);
}

static void print_json_bounds(const struct dbk_token_bounds *bounds)
{
    char origins[DBK_ORIGINS_TEXT];

    print_json_bound("rate", bounds->rate);
    print_json_bound("address_rate", bounds->address_rate);
    print_json_bound("bytes_a_day", bounds->bytes_a_day);
    fputs(",\"origins\":[", stdout);
    memcpy(origins, bounds->origins, sizeof origins);
    print_json_items(origins);
    fputs("]", stdout);
}

static void print_json(const struct dbk_tokens *tokens)
{
    fputs("[", stdout);
    for (size_t i = 0; i < tokens->count; i++) {
        const struct dbk_token *token = &tokens->list[i];
        char created[DBK_TIMESTAMP_TEXT + 1], scopes[DBK_SCOPES_TEXT];

        dbk_timestamp_format(token->created, created);
        dbk_scopes_format(token->scopes, scopes);
        printf("%s{\"name\":\"%s\",\"scopes\":[", i ? "," : "", token->name);
        print_json_items(scopes);
        printf("],\"created\":\"%s\"", created);
        print_json_bounds(&token->bounds);
        fputs("}", stdout);
    }
    puts("]");
}

static void print_none(const char *dir, bool revoked)
{
    if (revoked)
        printf(
            "all tokens in %s are revoked: a server that has known one refuses\n"
            "everyone until there is another, and the next start serves this machine\n"
            "only, without asking\n",
            dir);
    else
        printf("there are no tokens in %s: the API serves this machine only, and asks\n"
               "for none\n",
               dir);
}

static void print_lines(const struct dbk_tokens *tokens, const char *dir)
{
    if (tokens->count == 0)
        print_none(dir, tokens->there);
    else
        printf("tokens in %s:\n", dir);
    for (size_t i = 0; i < tokens->count; i++) {
        const struct dbk_token *token = &tokens->list[i];
        char scopes[DBK_SCOPES_TEXT], created[DBK_TIMESTAMP_TEXT + 1];
        char bounds[TOKEN_BOUNDS_TEXT];

        dbk_scopes_format(token->scopes, scopes);
        dbk_timestamp_format(token->created, created);
        token_bounds_format(&token->bounds, bounds);
        printf("%s  %-22s  %s%s%s\n", created, scopes, token->name, *bounds ? "  " : "",
               bounds);
    }
}

static enum tool_exit list(const struct tool *tool)
{
    struct dbk_tokens tokens;
    struct dbk_error err;

    if (tool->operand_count != 1)
        return tool_misused(tool, "unexpected \"%.64s\"", tool->operands[1]);
    if (check_dir(tool, &err) != DBK_OK ||
        dbk_tokens_read(dir_of(tool), &tokens, &err) != DBK_OK)
        return tool_fail(tool, &err);
    if (tool_has(tool, "--json"))
        print_json(&tokens);
    else
        print_lines(&tokens, dir_of(tool));
    dbk_tokens_finish(&tokens);
    return TOOL_DONE;
}

static enum tool_exit revoke(const struct tool *tool)
{
    struct dbk_error err;
    size_t left;

    if (tool->operand_count != 2)
        return tool_misused(tool, "token revoke needs the NAME of the token");
    if (check_dir(tool, &err) != DBK_OK)
        return tool_fail(tool, &err);
    if (dbk_tokens_revoke(dir_of(tool), tool->operands[1], false, &left, &err) !=
        DBK_OK)
        return fail(tool, &err);
    printf("revoked %s in %s; ", tool->operands[1], dir_of(tool));
    if (left > 0)
        printf("%zu left\n", left);
    else
        puts("none is left: a server that runs refuses everyone until there is\n"
             "another, and the next start serves this machine only, without asking");
    return TOOL_DONE;
}

static enum tool_exit run(struct tool *tool)
{
    static const char *const of_create[] = {"--scope", "--rate", "--address-rate",
                                            "--bytes-a-day", "--origin"};
    const char *what = tool->operands[0];
    bool creates = !strcmp(what, "create"), lists = !strcmp(what, "list");

    for (size_t i = 0; i < sizeof of_create / sizeof *of_create; i++) {
        if (tool_has(tool, of_create[i]) && !creates)
            return tool_misused(tool, "%s is for token create", of_create[i]);
    }
    if (tool_has(tool, "--json") && !lists)
        return tool_misused(tool, "--json is for token list");
    if (creates)
        return create(tool);
    if (lists)
        return list(tool);
    if (!strcmp(what, "revoke"))
        return revoke(tool);
    return tool_misused(tool, "\"%.64s\" is none of create, list and revoke", what);
}

const struct command command_token = {
    .name = "token",
    .purpose = "make, list and revoke the access tokens of the API",
    .operands = "create NAME | list | revoke NAME",
    .details =
        "create  make a token, which is printed once and kept as a hash only\n"
        "list    name, scopes, time and bounds of each\n"
        "revoke  take one back\n"
        "\n"
        "Scopes: read (GET of persons and events), write (every change), audit (the\n"
        "log), admin (everything), ingest (append events and aliases, and see "
        "nothing:\n"
        "for web pages, whose origins are given), metrics (GET /metrics, and nothing\n"
        "else). The name of the token is the actor of the records it writes, so give\n"
        "each client one of its own. They lie in DATA_DIR/tokens.\n",
    .example =
        "  daybook token create shop --scope read --scope write\n"
        "  daybook token create auditor --scope audit\n"
        "  daybook token create web --scope ingest --origin https://shop.example \\\n"
        "      --rate 500/s --bytes-a-day 1GB\n"
        "  daybook token revoke shop\n",
    .settings = CONFIG_GROUP_DATA,
    .operands_min = 1,
    .operands_max = 2,
    .options = {{.flag = "--scope",
                 .argument = "SCOPE",
                 .help = "With create: read, write, audit, admin, ingest, metrics or "
                         "erase; may come again",
                 .many = true},
                {.flag = "--rate",
                 .argument = "N/s",
                 .help = "With create: so many events a second"},
                {.flag = "--address-rate",
                 .argument = "N/s",
                 .help = "With create: so many of one client's address"},
                {.flag = "--bytes-a-day",
                 .argument = "SIZE",
                 .help = "With create: so many bytes of bodies"},
                {.flag = "--origin",
                 .argument = "ORIGIN",
                 .help = "With create, of ingest: whose pages may send; may come again",
                 .many = true},
                {.flag = "--json", .help = "With list: as JSON"}},
    .run = run,
};
