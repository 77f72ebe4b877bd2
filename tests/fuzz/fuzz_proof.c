/* fuzz_proof.c - whatever keys, notes, checkpoints, proofs, paths of tiles and policies are:
 * what is taken is in the one form that writing it gives, and no signature is believed of a
 * text that is not the one that was signed. */
#include "fuzz.h"
#include "store/proof/checkpoint.h"

#define VKEY "daybook.example/log+2538d7a3+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
/* All that this key ever signed for the corpus. */
#define SIGNED "daybook.example/log\n7\nKNCbjxESg9T/TS67XTg60t39j8jUeb5YAv73P+R6uRA=\n"
#define EMPTY "daybook.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"

static bool same(struct dbk_slice input, const char *text, size_t length)
{
    return dbk_slice_equal(input, (struct dbk_slice){text, length});
}

/* A reason where it fails, and none where not. */
static bool taken(enum dbk_code code, const struct dbk_error *err)
{
    if (code != DBK_OK) {
        require(err->code == code);
        require_reason(err);
    }
    return code == DBK_OK;
}

static void try_keys(struct dbk_slice input)
{
    char text[DBK_SKEY_TEXT + 1];
    struct dbk_error err = {0};
    struct dbk_skey secret;
    struct dbk_vkey key;

    if (taken(dbk_vkey_parse(input, &key, &err), &err))
        require(same(input, text, dbk_vkey_format(&key, text)));
    if (taken(dbk_skey_parse(input, &secret, &err), &err))
        require(same(input, text, dbk_skey_format(&secret, text)));
}

static void require_note(struct dbk_slice input, const struct dbk_note *note)
{
    size_t length = note->text.length + 1;

    require(note->count > 0 && note->text.data == input.data);
    require(input.data[length - 1] == '\n' && input.data[length - 2] == '\n');
    for (size_t i = 0; i < note->count; i++) {
        require(note->signatures[i].line.data == input.data + length);
        require(dbk_note_name_valid(note->signatures[i].name));
        length += note->signatures[i].line.length;
    }
    require(length == input.length);
}

static void try_note(struct dbk_slice input)
{
    struct dbk_error err = {0};
    struct dbk_log_checkpoint checkpoint;
    struct dbk_note *note = malloc(sizeof *note);
    struct dbk_vkey key;

    require(note != NULL);
    require(dbk_vkey_parse(dbk_slice(VKEY), &key, NULL) == DBK_OK);
    if (taken(dbk_note_parse(input, note, &err), &err)) {
        require_note(input, note);
        if (taken(dbk_note_verify(note, &key, NULL, &err), &err))
            require(dbk_slice_equal(note->text, dbk_slice(SIGNED)) ||
                    dbk_slice_equal(note->text, dbk_slice(EMPTY)));
    }
    if (taken(dbk_log_checkpoint_open(input, &key, &checkpoint, NULL, &err), &err))
        require(checkpoint.size == 7 || checkpoint.size == 0);
    free(note);
}

static void try_checkpoint(struct dbk_slice input)
{
    char text[DBK_CHECKPOINT_TEXT + 1];
    struct dbk_log_checkpoint checkpoint;
    struct dbk_error err = {0};

    if (taken(dbk_log_checkpoint_parse(input, &checkpoint, &err), &err))
        require(same(input, text, dbk_log_checkpoint_format(&checkpoint, text)));
}

static void try_proof(struct dbk_slice input)
{
    char *text = malloc(DBK_LOG_PROOF_TEXT + 1);
    struct dbk_log_proof proof;
    struct dbk_error err = {0};
    struct dbk_hash hash = {{0}};

    require(text != NULL);
    if (taken(dbk_log_proof_parse(input, &proof, &err), &err)) {
        require(!dbk_proof_includes(&proof.path, &hash, proof.index, 7, &hash));
        if (proof.extra.length == 0)
            require(same(input, text, dbk_log_proof_format(&proof, text)));
    }
    free(text);
}

static void try_tile(struct dbk_slice input)
{
    char text[DBK_TILE_PATH + 1];
    struct dbk_tile tile;

    if (dbk_tile_parse(input, &tile)) {
        require(same(input, text, dbk_tile_format(&tile, text)));
        require(tile.width > 0 && tile.width <= DBK_TILE_WIDTH);
        require(tile.level < DBK_TILE_LEVELS && (!tile.entries || tile.level == 0));
    }
}

/* More witnesses are never fewer. */
static void try_policy(struct dbk_slice input)
{
    struct dbk_policy *policy;
    struct dbk_error err = {0};
    uint64_t all;

    if (!taken(dbk_policy_parse(input, &policy, &err), &err)) {
        require(policy == NULL);
        return;
    }
    all = policy->witness_count == 64 ? UINT64_MAX
                                      : (UINT64_C(1) << policy->witness_count) - 1;
    require(dbk_policy_met(policy, all));
    for (size_t i = 0; i < policy->witness_count; i++) {
        if (dbk_policy_met(policy, all >> i))
            require(dbk_policy_met(policy, all));
    }
    dbk_policy_destroy(policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *bytes = copy_bytes(data, size);
    struct dbk_slice input = {bytes, size};

    try_keys(input);
    try_note(input);
    try_checkpoint(input);
    try_proof(input);
    try_tile(input);
    try_policy(input);
    free(bytes);
    return 0;
}
