#include "etag.h"

#include "coding.h"
#include "store/decimal.h"

#include <assert.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_BYTES 8
#define CHECKSUM_DIGITS 8

static void hash_hex(struct dbk_slice content, char out[2 * HASH_BYTES + 1])
{
    unsigned char hash[crypto_generichash_BYTES_MIN];

    crypto_generichash(hash, sizeof hash, (const unsigned char *)content.data,
                       content.length, NULL, 0);
    sodium_bin2hex(out, 2 * HASH_BYTES + 1, hash, HASH_BYTES);
}

/* record: the digits of a checksum, or "". */
static void format(char out[ETAG_MAX], uint64_t version, const char *record,
                   struct dbk_slice content)
{
    const char *start = out;

    *out++ = '"';
    if (version > 0)
        out += decimal_format(version, out);
    if (version > 0 && (content.length > 0 || *record))
        *out++ = '-';
    out = stpcpy(out, record);
    if (content.length > 0) {
        hash_hex(content, out);
        out += (size_t)2 * HASH_BYTES;
    }
    assert(out - start < ETAG_MAX - 1);
    out[0] = '"';
    out[1] = '\0';
}

void etag_format(char out[ETAG_MAX], uint64_t version, struct dbk_slice content)
{
    format(out, version, "", content);
}

void etag_format_record(char out[ETAG_MAX], uint64_t version, uint32_t checksum,
                        struct dbk_slice content)
{
    char digits[CHECKSUM_DIGITS + 1];

    snprintf(digits, sizeof digits, "%08" PRIx32, checksum);
    format(out, version, digits, content);
}

/* What an answer's coding put at the end of its tag (response_send.c). */
static void cut_coding(struct dbk_slice *tag)
{
    for (int i = CODING_GZIP; i < CODING_OTHER; i++) {
        const char *name = coding_name((enum coding)i);
        size_t length = strlen(name);
        if (tag->length > length + 1 &&
            memcmp(tag->data + tag->length - length, name, length) == 0 &&
            tag->data[tag->length - length - 1] == '-') {
            tag->length -= length + 1;
            return;
        }
    }
}

/* Step over one tag of a list; *inside receives what is between its quotes. False at
 * the end of the list, and where there is no tag (*at then is not at the end). */
static bool next_tag(const char **at, bool *weak, struct dbk_slice *inside)
{
    const char *text = *at + strspn(*at, ", \t");
    const char *end;

    *at = text;
    *weak = strncmp(text, "W/", 2) == 0;
    text += *weak ? 2 : 0;
    end = *text == '"' ? strchr(text + 1, '"') : NULL;
    if (!end)
        return false;
    *inside = (struct dbk_slice){text + 1, (size_t)(end - text - 1)};
    cut_coding(inside);
    *at = end + 1 + strspn(end + 1, " \t");
    return **at == '\0' || **at == ',';
}

static bool is_hex(struct dbk_slice text)
{
    for (size_t i = 0; i < text.length; i++)
        if (!memchr("0123456789abcdef", text.data[i], 16))
            return false;
    return true;
}

/* What is behind the dash: a checksum, a hash, or both. False: none of ours. */
static bool read_rest(struct dbk_slice rest, struct etag_version *out)
{
    char digits[CHECKSUM_DIGITS + 1] = "";

    if (!is_hex(rest))
        return false;
    if (rest.length == (size_t)2 * HASH_BYTES)
        return true;
    if (rest.length != CHECKSUM_DIGITS &&
        rest.length != CHECKSUM_DIGITS + 2 * HASH_BYTES)
        return false;
    memcpy(digits, rest.data, CHECKSUM_DIGITS);
    out->has_checksum = true;
    out->checksum = (uint32_t)strtoul(digits, NULL, 16);
    return true;
}

/* False: a tag that no answer has, so that it matches nothing. */
static bool read_version(struct dbk_slice tag, struct etag_version *out)
{
    size_t i = 0;

    *out = (struct etag_version){0};
    for (; i < tag.length && i < 19 && tag.data[i] >= '0' && tag.data[i] <= '9'; i++)
        out->version = out->version * 10 + (uint64_t)(tag.data[i] - '0');
    if (i == 0 || tag.data[0] == '0')
        return false;
    return i == tag.length ||
           (tag.data[i] == '-' &&
            read_rest((struct dbk_slice){tag.data + i + 1, tag.length - i - 1}, out));
}

static enum dbk_code take_versions(const char *name, const char *header,
                                   bool weak_count, struct etag_versions *versions,
                                   struct dbk_error *err)
{
    struct dbk_slice tag;
    bool weak;

    *versions = (struct etag_versions){.any = !header || strcmp(header, "*") == 0};
    if (versions->any)
        return DBK_OK;
    while (next_tag(&header, &weak, &tag)) {
        struct etag_version version;

        if ((weak && !weak_count) || !read_version(tag, &version))
            continue;
        if (versions->count == ETAG_VERSIONS_MAX)
            return dbk_fail(err, DBK_INVALID, "%s has more than %d entity tags", name,
                            ETAG_VERSIONS_MAX);
        versions->list[versions->count++] = version;
    }
    if (*header != '\0')
        return dbk_fail(err, DBK_INVALID,
                        "%s is not a list of entity tags such as \"12\"", name);
    return DBK_OK;
}

enum dbk_code etag_if_match(const char *header, struct etag_versions *versions,
                            struct dbk_error *err)
{
    return take_versions("If-Match", header, false, versions, err);
}

enum dbk_code etag_excluded(const char *header, struct etag_versions *versions,
                            struct dbk_error *err)
{
    return take_versions("If-None-Match", header, true, versions, err);
}

bool etag_matches(const struct etag_versions *versions, uint64_t version,
                  uint32_t checksum)
{
    if (versions->any)
        return true;
    for (size_t i = 0; i < versions->count; i++) {
        const struct etag_version *one = &versions->list[i];
        if (one->version == version &&
            (!one->has_checksum || one->checksum == checksum))
            return true;
    }
    return false;
}

bool etag_if_none_match(const char *header, const char *tag)
{
    struct dbk_slice ours = {tag + 1, strlen(tag) - 2}, theirs;
    bool weak;

    assert(tag[0] == '"' && tag[1] != '\0'); /* of etag_format */
    if (!header)
        return false;
    if (strcmp(header, "*") == 0)
        return true;
    while (next_tag(&header, &weak, &theirs)) {
        if (dbk_slice_equal(ours, theirs))
            return true;
    }
    return false;
}
