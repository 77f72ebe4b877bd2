/* fuzz_receipt.c - whatever the file is that is said to be a receipt of an erasure: it is none,
 * and that is told, or what it claims lies where the reader says, and is the same when it comes as
 * the API answers it. What it has of a record and of a proof is read, too, as daybook person
 * verify does. */
#include "fuzz.h"
#include "http/erasure_json.h"
#include "store/proof/checkpoint.h"
#include "store/record.h"

/* One that was read, with what its slices point into. */
struct read {
    char *text, *room;
    size_t length;
    struct dbk_erasure_claim claim;
    enum dbk_code code;
};

static void read_from(struct read *read, const char *before, struct dbk_slice input,
                      const char *behind)
{
    size_t begins = strlen(before), ends = strlen(behind);
    struct dbk_error err = {0};

    read->length = begins + input.length + ends;
    read->text = malloc(read->length > 0 ? read->length : 1);
    require(read->text != NULL);
    memcpy(read->text, before, begins);
    if (input.length > 0)
        memcpy(read->text + begins, input.data, input.length);
    memcpy(read->text + begins + input.length, behind, ends);
    read->room = malloc(read->length > 0 ? 2 * read->length : 1);
    require(read->room != NULL);
    read->code =
        dbk_erasure_json_read(read->text, read->length, read->room, &read->claim, &err);
    if (read->code != DBK_OK) {
        require(read->code == DBK_INVALID && err.code == DBK_INVALID);
        require_reason(&err);
    }
}

static void read_finish(struct read *read)
{
    free(read->room);
    free(read->text);
}

static bool is_within(struct dbk_slice slice, const char *bytes, size_t length)
{
    return slice.data >= bytes && slice.data <= bytes + length &&
           slice.length <= (size_t)(bytes + length - slice.data);
}

static void require_within(const struct read *read, struct dbk_slice slice)
{
    require(slice.length == 0 || is_within(slice, read->text, read->length) ||
            is_within(slice, read->room, 2 * read->length));
}

static void require_same(const struct dbk_erasure_claim *one,
                         const struct dbk_erasure_claim *other)
{
    require(dbk_slice_equal(one->person_id, other->person_id));
    require(dbk_slice_equal(one->erased_at, other->erased_at));
    require(dbk_slice_equal(one->record, other->record));
    require(dbk_slice_equal(one->proof, other->proof));
    require(one->sequence == other->sequence && one->keys == other->keys);
}

static void try_claim(const struct dbk_erasure_claim *claim)
{
    struct dbk_log_proof *proof = malloc(sizeof *proof);
    struct dbk_error err = {0};
    struct dbk_record record;

    require(proof != NULL);
    if (dbk_record_decode(claim->record.data, claim->record.length, &record, &err) !=
        DBK_OK)
        require_reason(&err);
    err = (struct dbk_error){0};
    if (dbk_log_proof_parse(claim->proof, proof, &err) != DBK_OK)
        require_reason(&err);
    free(proof);
}

/* An answer has it as its data. What has a member of that name is read by that already. */
static void try_answer(struct dbk_slice input, const struct read *plain)
{
    struct read answer;

    read_from(&answer, "{\"response\":{},\"data\":", input, "}");
    if (plain->code == DBK_OK && answer.code == DBK_OK &&
        !memmem(input.data, input.length, "\"data\"", 6))
        require_same(&answer.claim, &plain->claim);
    read_finish(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = copy_bytes(data, size);
    struct dbk_slice input = {bytes, size};
    struct read read;

    read_from(&read, "", input, "");
    if (read.code == DBK_OK) {
        require_within(&read, read.claim.person_id);
        require_within(&read, read.claim.erased_at);
        require_within(&read, read.claim.record);
        require_within(&read, read.claim.proof);
        try_claim(&read.claim);
    }
    try_answer(input, &read);
    read_finish(&read);
    free(bytes);
    return 0;
}
