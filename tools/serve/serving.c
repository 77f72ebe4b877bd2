/* What is said of what runs. */
#include "serving.h"

void serving_say(const struct serving *serving, const char *message)
{
    logger_line(serving->tool->logger, LOG_LEVEL_INFO, message);
}

void serving_say_with(const struct serving *serving, const char *message,
                      const char *key, const char *value)
{
    struct log_field field = {.key = key, .text = value};

    logger_write(serving->tool->logger, LOG_LEVEL_INFO, message, &field, 1);
}

void serving_warn(const struct serving *serving, const char *message)
{
    logger_line(serving->tool->logger, LOG_LEVEL_WARN, message);
}

void *serving_logger(const struct serving *serving)
{
    return (void *)(uintptr_t)serving->tool->logger;
}
