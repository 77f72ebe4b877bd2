#include "email.h"

#include "store/record.h"

#define LABEL_MAX 63

static bool is_alphanumeric(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_local(char c)
{
    return is_alphanumeric(c) ||
           (c != '\0' && strchr(".!#$%&'*+/=?^_`{|}~-", c) != NULL);
}

/* One label of the domain: letters and digits, and hyphens between them. */
static bool label_valid(const char *label, size_t length)
{
    if (length == 0 || length > LABEL_MAX)
        return false;
    if (!is_alphanumeric(label[0]) || !is_alphanumeric(label[length - 1]))
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!is_alphanumeric(label[i]) && label[i] != '-')
            return false;
    }
    return true;
}

static bool domain_valid(const char *at, const char *end)
{
    for (;;) {
        const char *dot = memchr(at, '.', (size_t)(end - at));
        const char *label_end = dot ? dot : end;
        if (!label_valid(at, (size_t)(label_end - at)))
            return false;
        if (!dot)
            return true;
        at = dot + 1;
    }
}

bool email_valid(struct dbk_slice text)
{
    const char *sign;

    if (text.length == 0 || text.length > DBK_EMAIL_MAX)
        return false;
    sign = memchr(text.data, '@', text.length);
    if (!sign || sign == text.data)
        return false;
    for (const char *at = text.data; at < sign; at++) {
        if (!is_local(*at))
            return false;
    }
    return domain_valid(sign + 1, text.data + text.length);
}
