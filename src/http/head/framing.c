#include "framing.h"

#include <string.h>
#include <strings.h>

/* Headers that must come once: two of them could be read as either. */
static const char *const single[] = {
    "Host",     "Content-Length",  "Transfer-Encoding", "Content-Type",
    "If-Match", "Idempotency-Key", "If-None-Match",     "Expect",
    "Origin",   "Last-Event-ID",   "Sec-Fetch-Site",
};

static int refuse(struct dbk_error *err, int status, const char *details)
{
    dbk_fail(err, DBK_INVALID, "%s", details);
    return status;
}

static uint32_t letter(const char *name)
{
    return UINT32_C(1) << (name[0] & 31);
}

/* The first letters that several headers share: only those can come twice. */
static uint32_t shared_letters(const struct head *head)
{
    uint32_t seen = 0, shared = 0;

    for (size_t i = 0; i < head->count; i++) {
        uint32_t one = letter(head->fields[i].name);
        shared |= seen & one;
        seen |= one;
    }
    return shared;
}

static int check_single(const struct head *head, struct dbk_error *err)
{
    uint32_t shared = shared_letters(head);
    unsigned count;

    for (size_t i = 0; i < sizeof single / sizeof *single; i++) {
        if (!(shared & letter(single[i])))
            continue;
        head_field(head, single[i], &count);
        if (count > 1) {
            dbk_fail(err, DBK_INVALID, "The header %s comes more than once", single[i]);
            return 400;
        }
    }
    return 0;
}

/* A name or an address, and a port. Source: RFC 3986, section 3.2. */
static bool is_host(const char *text)
{
    return text[strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ-._~%!$&'()*+,;=:[]")] == '\0';
}

/* What the target names goes before the header, which must be there all the same. Source:
 * RFC 9112, sections 3.2 and 3.2.2. */
static int take_host(const struct head *head, struct framing *framing,
                     struct dbk_error *err)
{
    unsigned count;
    const char *header = head_field(head, "Host", &count);

    if (!header && strcmp(head->version, "1.1") == 0)
        return refuse(err, 400, "The request has no Host header");
    framing->host = head->host ? head->host : header;
    if ((header && !is_host(header)) || (head->host && !is_host(head->host)))
        return refuse(err, 400, "What the request names as its host is none");
    return 0;
}

/* Digits and nothing else: "5, 7" is no 5. */
static int take_length(const char *text, struct framing *framing, struct dbk_error *err)
{
    size_t digits = strspn(text, "0123456789");

    if (digits == 0 || text[digits] != '\0')
        return refuse(err, 400, "The header Content-Length is not a number");
    framing->has_length = true;
    if (digits > 18)
        return refuse(err, 413, "The body is larger than is taken");
    for (size_t i = 0; i < digits; i++)
        framing->length = framing->length * 10 + (uint64_t)(text[i] - '0');
    return 0;
}

/* Where chunked is not the last, once, nobody knows where the body ends. Source: RFC 9112,
 * sections 6.1 and 6.3. */
static int take_codings(const struct head *head, struct framing *framing,
                        struct dbk_error *err)
{
    size_t field = 0, length, codings = 0, chunked = 0;
    const char *at = NULL, *coding;
    bool last = false;

    while ((coding = head_list_next(head, "Transfer-Encoding", &field, &at, &length))) {
        codings++;
        last = length == 7 && strncasecmp(coding, "chunked", length) == 0;
        chunked += last;
    }
    if (strcmp(head->version, "1.1") != 0)
        return refuse(err, 400, "Transfer-Encoding is not taken in HTTP/1.0");
    if (chunked > 1 || (chunked == 1 && !last))
        return refuse(err, 400, "Transfer-Encoding: chunked must come once, and last");
    if (chunked == 0 || codings > 1)
        return refuse(err, 501, "The only Transfer-Encoding taken is chunked");
    framing->chunked = true;
    return 0;
}

static bool wants_body(const char *method)
{
    return strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
           strcmp(method, "PATCH") == 0;
}

int framing_read(const struct head *head, struct framing *framing,
                 struct dbk_error *err)
{
    unsigned count;
    const char *length = head_field(head, "Content-Length", &count);
    const char *encoding = head_field(head, "Transfer-Encoding", &count);
    int status;

    memset(framing, 0, sizeof *framing);
    status = check_single(head, err);
    if (status == 0)
        status = take_host(head, framing, err);
    if (status != 0)
        return status;
    if (encoding && length)
        return refuse(err, 400,
                      "Content-Length and Transfer-Encoding exclude each other");
    if (encoding)
        return take_codings(head, framing, err);
    if (length)
        return take_length(length, framing, err);
    if (wants_body(head->method))
        return refuse(err, 411,
                      "The request needs a Content-Length (or chunked encoding)");
    return 0;
}
