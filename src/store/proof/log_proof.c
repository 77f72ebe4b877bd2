/* A proof as a file. */
#include "base64.h"
#include "lines.h"
#include "store/proof/checkpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define FIRST_LINE "c2sp.org/tlog-proof@v1"

enum { EXTRA_MAX = 8192 };

size_t dbk_log_proof_format(const struct dbk_log_proof *proof,
                            char out[DBK_LOG_PROOF_TEXT + 1])
{
    size_t length =
        (size_t)sprintf(out, FIRST_LINE "\nindex %" PRIu64 "\n", proof->index);

    assert(proof->checkpoint.length <= DBK_SIGNED_MAX);
    assert(proof->path.count <= DBK_PROOF_MAX);
    for (size_t i = 0; i < proof->path.count; i++) {
        dbk_hash_format(&proof->path.hashes[i], out + length);
        length += DBK_HASH_TEXT;
        out[length++] = '\n';
    }
    out[length++] = '\n';
    if (proof->checkpoint.length > 0)
        memcpy(out + length, proof->checkpoint.data, proof->checkpoint.length);
    length += proof->checkpoint.length;
    out[length] = '\0';
    return length;
}

static bool take(struct dbk_slice *line, const char *word)
{
    size_t length = strlen(word);

    if (line->length < length || memcmp(line->data, word, length) != 0)
        return false;
    line->data += length;
    line->length -= length;
    return true;
}

static bool read_extra(struct dbk_slice line, struct dbk_log_proof *proof)
{
    uint8_t bytes[EXTRA_MAX];
    size_t length;

    proof->extra = line;
    return base64_read(line, bytes, sizeof bytes, &length);
}

static bool read_path(struct dbk_slice *text, struct dbk_proof *path)
{
    struct dbk_slice line;

    while (lines_next(text, &line)) {
        if (line.length == 0)
            return true;
        if (path->count == DBK_PROOF_MAX ||
            !dbk_hash_parse(line, &path->hashes[path->count++]))
            return false;
    }
    return false;
}

enum dbk_code dbk_log_proof_parse(struct dbk_slice text, struct dbk_log_proof *proof,
                                  struct dbk_error *err)
{
    struct dbk_slice line;
    bool right;

    memset(proof, 0, sizeof *proof);
    right = lines_next(&text, &line) && dbk_slice_equal(line, dbk_slice(FIRST_LINE)) &&
            lines_next(&text, &line);
    if (right && take(&line, "extra "))
        right = read_extra(line, proof) && lines_next(&text, &line);
    right = right && take(&line, "index ") &&
            lines_number(line, INT64_MAX, &proof->index) &&
            read_path(&text, &proof->path);
    proof->checkpoint = text;
    if (right && text.length > 0)
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID, "no proof in the form of " FIRST_LINE);
}
