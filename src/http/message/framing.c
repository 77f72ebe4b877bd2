#include "framing.h"

#include <civetweb.h>
#include <string.h>
#include <strings.h>

/* Headers that must come once: two of them could be read as either. */
static const char *const single[] = {
    "Host",     "Content-Length",  "Transfer-Encoding", "Content-Type",
    "If-Match", "Idempotency-Key", "If-None-Match",     "Expect",
};

static int refuse(struct dbk_error *err, int status, const char *details)
{
    dbk_fail(err, DBK_INVALID, "%s", details);
    return status;
}

/* Many names are asked for in each request, and few of them are there: most are told
 * apart by their first letter. */
static bool is_named(const struct mg_header *header, const char *name)
{
    return ((header->name[0] ^ name[0]) & ~0x20) == 0 &&
           strcasecmp(header->name, name) == 0;
}

const char *framing_header(const struct mg_request_info *info, const char *name,
                           unsigned *count)
{
    const char *value = NULL;

    *count = 0;
    for (int i = 0; i < info->num_headers; i++) {
        if (is_named(&info->http_headers[i], name) && (*count)++ == 0)
            value = info->http_headers[i].value;
    }
    return value;
}

/* civetweb has put a NUL wherever a name, a value or a line ends, in one buffer. It takes
 * spaces between a name and its colon, which are NULs then, too; and at a line that
 * begins with one, or with a CR that no LF follows, or has no name, it stops reading
 * headers without a word. What comes behind such a line others may have read. Source: RFC
 * 9112, sections 2.2, 5.1 and 5.2. */
static bool name_is_spaced(const struct mg_header *header)
{
    const char *end = header->name + strlen(header->name);

    return end + 1 < header->value && end[1] == '\0';
}

static bool ends_the_head(const struct mg_header *header)
{
    const char *end = header->value + strlen(header->value);

    /* CR and LF of the line, and of the empty one, whose LF is the last byte of the head. */
    return end[1] == '\0' && end[2] == '\r' && end[3] == '\0';
}

/* A proxy may read a line that ends with LF alone, and the next, as one. */
static bool follows_crlf(const struct mg_header *header, const struct mg_header *before)
{
    return header->name - before->value >= 2 && header->name[-2] == '\0';
}

static bool lines_are_clear(const struct mg_request_info *info)
{
    for (int i = 0; i < info->num_headers; i++) {
        if (name_is_spaced(&info->http_headers[i]) ||
            (i > 0 &&
             !follows_crlf(&info->http_headers[i], &info->http_headers[i - 1])))
            return false;
    }
    return info->num_headers == 0 ||
           ends_the_head(&info->http_headers[info->num_headers - 1]);
}

static uint32_t letter(const char *name)
{
    return UINT32_C(1) << (name[0] & 31);
}

/* The first letters that several headers share: only those can come twice. */
static uint32_t shared_letters(const struct mg_request_info *info)
{
    uint32_t seen = 0, shared = 0;

    for (int i = 0; i < info->num_headers; i++) {
        uint32_t one = letter(info->http_headers[i].name);
        shared |= seen & one;
        seen |= one;
    }
    return shared;
}

static int check_headers(const struct mg_request_info *info, struct framing *framing,
                         struct dbk_error *err)
{
    uint32_t shared = shared_letters(info);
    unsigned count;

    /* civetweb drops those behind the last it has room for, without a word. */
    if (info->num_headers >= MG_MAX_HEADERS)
        return refuse(err, 431,
                      "The request has too many headers; at most 63 are read");
    if (!lines_are_clear(info))
        return refuse(err, 400,
                      "A header line does not begin with its name and a colon, or the "
                      "one before it does not end with CR and LF");
    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        if (!(shared & letter(single[i])))
            continue;
        framing_header(info, single[i], &count);
        if (count > 1) {
            dbk_fail(err, DBK_INVALID, "The header %s comes more than once", single[i]);
            return 400;
        }
    }
    framing->host = framing_header(info, "Host", &count);
    if (!framing->host && strcmp(info->http_version, "1.1") == 0)
        return refuse(err, 400, "The request has no Host header");
    return 0;
}

/* Digits and nothing else; civetweb would take "5, 7" for 5. */
static int take_length(const char *text, struct framing *framing, struct dbk_error *err)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || text[digits + strspn(text + digits, " \t")] != '\0')
        return refuse(err, 400, "The header Content-Length is not a number");
    framing->has_length = true;
    if (digits > 18)
        return refuse(err, 413, "The body is larger than is taken");
    for (size_t i = 0; i < digits; i++)
        framing->length = framing->length * 10 + (uint64_t)(text[i] - '0');
    return 0;
}

static bool wants_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

int framing_read(const struct mg_request_info *info, struct framing *framing,
                 struct dbk_error *err)
{
    unsigned count;
    const char *length = framing_header(info, "Content-Length", &count);
    const char *encoding = framing_header(info, "Transfer-Encoding", &count);
    int status;

    memset(framing, 0, sizeof *framing);
    status = check_headers(info, framing, err);
    if (status != 0)
        return status;
    if (encoding && length)
        return refuse(err, 400,
                      "Content-Length and Transfer-Encoding exclude each other");
    if (encoding && (strcasecmp(encoding, "chunked") != 0 ||
                     strcmp(info->http_version, "1.1") != 0))
        return refuse(err, 501, "The only Transfer-Encoding taken is chunked");
    framing->chunked = encoding != NULL;
    if (length)
        return take_length(length, framing, err);
    if (!encoding && wants_body(info->request_method))
        return refuse(err, 411,
                      "The request needs a Content-Length (or chunked encoding)");
    return 0;
}
