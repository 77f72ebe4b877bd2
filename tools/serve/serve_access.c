/* Who may call, as it stands at the start. */
#include "http/tokens.h"
#include "serve_start.h"

/* Said at start, for whoever thinks that tokens are asked for. */
static void say_access(const struct serving *serving, size_t tokens)
{
    if (tokens == 0 && config_boolean(serving->tool->config, SETTING_REQUIRE_TOKENS))
        serving_warn(serving,
                     "everyone is refused: REQUIRE_TOKENS is set, and there is no "
                     "access token yet; make one: daybook token create NAME --scope "
                     "SCOPE");
    else if (tokens == 0)
        serving_say(serving,
                    "no access tokens: only this machine is served, and nobody on it "
                    "is asked; daybook token create makes one");
    else
        logger_write(
            serving->tool->logger, LOG_LEVEL_INFO, "access tokens are asked for",
            &(struct log_field){.key = "tokens", .number = (int64_t)tokens}, 1);
}

enum tool_exit serve_check_access(const struct serving *serving)
{
    const struct tool *tool = serving->tool;
    struct dbk_error err;
    enum dbk_code code;
    size_t tokens;

    code = dbk_tokens_allow(config_text(tool->config, SETTING_DATA_DIR),
                            config_text(tool->config, SETTING_HOST), &tokens, &err);
    if (code == DBK_OK ||
        (code == DBK_INVALID && config_boolean(tool->config, SETTING_REQUIRE_TOKENS))) {
        say_access(serving, tokens);
        return TOOL_DONE;
    }
    if (code != DBK_INVALID)
        return tool_fail(tool, &err);
    return tool_misused(tool, "HOST from %s: %s",
                        config_origin(tool->config, SETTING_HOST), err.text);
}
