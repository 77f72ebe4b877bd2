/* The tree: the vectors, and sizes of every kind. */
#include "large_tree.h"
#include "tree_private.h"

#include <pthread.h>
#include <stdatomic.h>

static void the_roots_are_those_of_the_vectors(void **state)
{
    static const struct {
        uint64_t size;
        const char *root;
    } vectors[] = {
        {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {1, "2a9ae6cea3c5305a8edaa8730929cc283d0198e811b245cacbc927228f1905e6"},
        {2, "5d0fee3f53628d2939d01d96828ee15ed72311693bc8d3a80b5d7aeb252e1f9a"},
        {3, "9a7b18169294ea23226dbcf18ea80c4714dc6d1f594ceeef3c1381c124807a7e"},
        {4, "5d17f34e3e64ca0b68dc74587014ab9613178c4e1723d3c8a6cfb1698a087ae5"},
        {5, "bf547e06106def8d076aa9a020d688ee2f2adc0d1e792f4b4584347fdc468564"},
        {6, "6723555b82c93733807b4c11d48effe6fcb30731827093b3420756dff055adc2"},
        {7, "28d09b8f111283d4ff4d2ebb5d383ad2ddfd8fc8d479be5802fef73fe47ab910"},
        {8, "57c6dfd79f9975438c4b208c987aa7f4113a90b9cebc7e6ae15e57384c9ea5de"},
        {255, "dff6bfa821b4420824a5ac389e3251e658fd3dda498827799bfe2c7613d83449"},
        {256, "8206e77830eaef26469acd6119d8aa614a3cd241cb09238f550d404ba8d06e7c"},
        {257, "1c5077c40bf96cc91354786e123a983492f2e3dc3586349cdced3c3423ba8ee9"},
        {511, "afa0aeefdb9424d37ffec55b8910697cd2372dd486fa787dc94dcd62a2ebd565"},
        {512, "8a2de82cd1bae19dd6962f5cd05830bdd7ff80c332226675fe7b319b36fff623"},
        {513, "de94795f9e9f5fdb4376f6c9a4f3e4287f52cabf1d55e5419b204fd9b3c8ec13"},
        {65535, "aad1d599adf749ef72e07bf0c142e749015a88a4b2a4561a3e754bd717f16401"},
        {65536, "eef1b115a8472ee11e2b63a2c7e96f55892c825cefeae0c7fd4a7dac0ed42b88"},
        {65537, "ac1acc857bb7027be94aab30849e117860b6a72aeed5bc30df587496443b0f44"},
        {70000, "406c59fd53edf2bc1773ead72ac3a75353579f0912cddefd7156e257bc841927"},
    };
    struct dbk_hash root;

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        assert_int_equal(dbk_tree_root(large, vectors[i].size, &root, NULL), DBK_OK);
        assert_hex(&root, vectors[i].root);
    }
    assert_int_equal(dbk_tree_root(large, LARGE + 1, &root, NULL), DBK_NOT_FOUND);
}

static void an_entry_is_hashed_as_the_vectors_say(void **state)
{
    struct dbk_hash entry, leaf[2], node;

    (void)state;
    made_entry(0, &entry);
    assert_hex(&entry,
               "3dba37bb0871edefb95b6655128dbe1922522f17be0cd1089ef7dd45c9badcd1");
    dbk_hash_leaf(&entry, &leaf[0]);
    assert_hex(&leaf[0],
               "2a9ae6cea3c5305a8edaa8730929cc283d0198e811b245cacbc927228f1905e6");
    made_entry(1, &entry);
    dbk_hash_leaf(&entry, &leaf[1]);
    dbk_hash_node(&leaf[0], &leaf[1], &node);
    assert_hex(&node,
               "5d0fee3f53628d2939d01d96828ee15ed72311693bc8d3a80b5d7aeb252e1f9a");
}

struct proof_vector {
    uint64_t of, in;
    size_t count;
    const char *all; /* SHA-256 of the hashes, one behind the other */
};

static void a_path_is_that_of_the_vectors(void **state)
{
    static const struct proof_vector vectors[] = {
        {0, 1, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {0, 2, 1, "8850c4bf02ccd8cb389c12575fc568fe3f5844d480891789f6e50cb1052802f1"},
        {2, 3, 1, "4a67737390edea8e50355ef5874144489f36d7a51a647261f047bf666422d974"},
        {5, 7, 3, "6eb7b3f8513e8c3996651027eed21b9129116ad66275904de74fb1981519d4df"},
        {6, 7, 2, "318e79172852abcd1d32242d0077fa5ed5d6c9b0dd8942248561b9b079cdf246"},
        {0, 257, 9, "a854a183623bc9ee5beb3e7318bde7d84cc98d6435eba35e68f96edaefa098a5"},
        {256, 257, 1,
         "122cb9800e8ddc35ddf82b654057e0802953e864f95dff631de8cd49825b098d"},
        {69999, 70000, 9,
         "3f9699a1d9d26ef99fd514c9dc88878a265233a231522a0aa3965da8a10be026"},
    };
    struct dbk_hash root, entry;
    struct dbk_proof proof;

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const struct proof_vector *v = &vectors[i];

        assert_int_equal(dbk_tree_inclusion(large, v->of, v->in, &proof, NULL), DBK_OK);
        assert_int_equal(proof.count, v->count);
        assert_all_hex(proof.hashes, proof.count, v->all);
        assert_int_equal(dbk_tree_root(large, v->in, &root, NULL), DBK_OK);
        made_entry(v->of, &entry);
        assert_true(dbk_proof_includes(&proof, &entry, v->of, v->in, &root));
    }
    assert_int_equal(dbk_tree_inclusion(large, 7, 7, &proof, NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_tree_inclusion(large, 7, LARGE + 1, &proof, NULL),
                     DBK_NOT_FOUND);
}

static void what_extends_what_is_proven_as_in_the_vectors(void **state)
{
    static const struct proof_vector vectors[] = {
        {1, 2, 1, "8850c4bf02ccd8cb389c12575fc568fe3f5844d480891789f6e50cb1052802f1"},
        {3, 7, 4, "72e06701d5b1632bdb44c6838538c73f0e83a357b3a891e574cf9ac9638567c2"},
        {4, 7, 1, "3eba5df0fc5ebd5f22a195829ff3b49be9b270d2139df539eefc3179df1bf084"},
        {6, 7, 3, "e8528184436617ad340db41df6ac14eb56be46b58a8046be337172d09df344c2"},
        {4, 8, 1, "78684bd69253bdb0e62ef336fd5d9b89f55955c9786fa60ebffc3e4bac5a7d4e"},
        {7, 7, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {256, 257, 1,
         "e2b57816e1d5461da14adb40427145a990d8616f98259e969e5c9412c8d88270"},
        {255, 70000, 18,
         "ce1df58f104002fc281edabe55f5031d0d0e8e4260e357421aaeca996ac29030"},
        {65536, 70000, 1,
         "f38980b2dc0b906ed5e91b3ff55a1f2949d863a27a99da698296231ca78b0aa2"},
    };
    struct dbk_hash root, old;
    struct dbk_proof proof;

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const struct proof_vector *v = &vectors[i];

        assert_int_equal(dbk_tree_consistency(large, v->of, v->in, &proof, NULL),
                         DBK_OK);
        assert_int_equal(proof.count, v->count);
        assert_all_hex(proof.hashes, proof.count, v->all);
        assert_int_equal(dbk_tree_root(large, v->of, &old, NULL), DBK_OK);
        assert_int_equal(dbk_tree_root(large, v->in, &root, NULL), DBK_OK);
        assert_true(dbk_proof_extends(&proof, v->of, &old, v->in, &root));
    }
    assert_int_equal(dbk_tree_consistency(large, 8, 7, &proof, NULL), DBK_INVALID);
}

static void tiles_and_bundles_are_those_of_the_vectors(void **state)
{
    static const struct {
        unsigned level;
        uint64_t n;
        unsigned width;
        const char *bytes; /* SHA-256 of them */
    } vectors[] = {
        {0, 1000 - 1000, 1,
         "d9e7f4836c9726772c160e0f357d39a47ce2a80df89c00cfd43453c4f28b9c04"},
        {0, 1000 - 1000, 7,
         "9946075fdb504257c14bc5f95eda33da38a6fc2a49bb6398c70bf8a6d647d68a"},
        {0, 1000 - 1000, 256,
         "71d12f47520e177a585e39305d6ecacc58df2e42504a37960a7e888499acf6f3"},
        {0, 1273 - 1000, 112,
         "500b493cb39045502f302fbb79f4b12acae63adb2a0e7516ad746a92f91c87d0"},
        {1, 1000 - 1000, 256,
         "55a0cd16a9ae938dd2e4688d09f573e059805d22b110466e3f630f03a9e4ef97"},
        {1, 1001 - 1000, 17,
         "f0441debeaa830fd78deab7bfbeb477d0cbbef564d839e689906d9e2fe6b0a6f"},
        {2, 1000 - 1000, 1,
         "4f8dde4f4ce85d47e851f42f5e40ffc277161f67a8661544b110ee53e5023322"},
    };
    struct dbk_hash tile[DBK_TILE_WIDTH], entry;

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        assert_int_equal(dbk_tree_tile(large, vectors[i].level, vectors[i].n,
                                       vectors[i].width, tile, NULL),
                         DBK_OK);
        assert_all_hex(tile, vectors[i].width, vectors[i].bytes);
    }
    assert_int_equal(dbk_tree_entries(large, 273, 112, tile, NULL), DBK_OK);
    made_entry(LARGE - 1, &entry);
    assert_true(dbk_hash_equal(&tile[111], &entry));
}

static void what_is_beyond_the_tree_is_not_there(void **state)
{
    struct dbk_hash tile[DBK_TILE_WIDTH];

    (void)state;
    assert_int_equal(dbk_tree_tile(large, 0, 273, 113, tile, NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_tree_tile(large, 0, UINT64_MAX, 1, tile, NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_tree_tile(large, 1, 1, 18, tile, NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_tree_tile(large, 2, 0, 2, tile, NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_tree_tile(large, 3, 0, 1, tile, NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_tree_tile(large, 63, 0, 1, tile, NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_tree_tile(large, 1, UINT64_MAX, 1, tile, NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_tree_entries(large, 273, 113, tile, NULL), DBK_NOT_FOUND);
}

/* Each hash of a proof, and each of its other parts, counts. */
static void check_inclusion(struct dbk_tree *tree, uint64_t index, uint64_t size)
{
    struct dbk_proof proof;
    struct dbk_hash root, entry;

    assert_int_equal(dbk_tree_root(tree, size, &root, NULL), DBK_OK);
    assert_int_equal(dbk_tree_inclusion(tree, index, size, &proof, NULL), DBK_OK);
    made_entry(index, &entry);
    assert_true(dbk_proof_includes(&proof, &entry, index, size, &root));
    assert_false(dbk_proof_includes(&proof, &entry, index + 1, size, &root));
    assert_false(dbk_proof_includes(&proof, &root, index, size, &root));
    proof.count++;
    assert_false(dbk_proof_includes(&proof, &entry, index, size, &root));
    proof.count--;
    for (size_t i = 0; i < proof.count; i++) {
        proof.hashes[i].bytes[i] ^= 1;
        assert_false(dbk_proof_includes(&proof, &entry, index, size, &root));
        proof.hashes[i].bytes[i] ^= 1;
    }
    if (proof.count-- > 0)
        assert_false(dbk_proof_includes(&proof, &entry, index, size, &root));
}

static void check_consistency(struct dbk_tree *tree, uint64_t old, uint64_t size)
{
    struct dbk_proof proof;
    struct dbk_hash root, before;

    assert_int_equal(dbk_tree_root(tree, size, &root, NULL), DBK_OK);
    assert_int_equal(dbk_tree_root(tree, old, &before, NULL), DBK_OK);
    assert_int_equal(dbk_tree_consistency(tree, old, size, &proof, NULL), DBK_OK);
    assert_true(dbk_proof_extends(&proof, old, &before, size, &root));
    for (size_t i = 0; i < proof.count; i++) {
        proof.hashes[i].bytes[i] ^= 1;
        assert_false(dbk_proof_extends(&proof, old, &before, size, &root));
        proof.hashes[i].bytes[i] ^= 1;
    }
    before.bytes[5] ^= 1;
    assert_false(dbk_proof_extends(&proof, old, &before, size, &root));
    before.bytes[5] ^= 1;
    root.bytes[5] ^= 1;
    assert_int_equal(dbk_proof_extends(&proof, old, &before, size, &root),
                     old == 0 && size > 0);
    root.bytes[5] ^= 1;
    proof.count++;
    assert_false(dbk_proof_extends(&proof, old, &before, size, &root));
}

static void every_small_size_is_proven_and_no_wrong_bit_is_believed(void **state)
{
    struct dbk_tree *tree = made_tree(600);

    (void)state;
    for (uint64_t size = 1; size <= 600; size += size < 40 ? 1 : 43) {
        for (uint64_t i = 0; i < size; i += size < 40 ? 1 : 31) {
            check_inclusion(tree, i, size);
            check_consistency(tree, i, size);
        }
        check_inclusion(tree, size - 1, size);
    }
    dbk_tree_destroy(tree);
}

static void numbers_from_anywhere_prove_nothing(void **state)
{
    struct dbk_proof proof = {.count = DBK_PROOF_MAX};
    struct dbk_hash hash = {{0}};

    (void)state;
    assert_false(dbk_proof_includes(&proof, &hash, 0, 0, &hash));
    assert_false(dbk_proof_includes(&proof, &hash, UINT64_MAX, UINT64_MAX, &hash));
    assert_false(dbk_proof_includes(&proof, &hash, 0, UINT64_MAX, &hash));
    assert_false(dbk_proof_extends(&proof, 1, &hash, UINT64_MAX, &hash));
    assert_false(dbk_proof_extends(&proof, UINT64_MAX, &hash, 1, &hash));
    proof.count = SIZE_MAX;
    assert_false(dbk_proof_includes(&proof, &hash, 0, UINT64_MAX, &hash));
    assert_false(dbk_proof_extends(&proof, 1, &hash, UINT64_MAX, &hash));
}

/* By pieces of every kind, and without a log behind it. */
static void however_it_grows_it_is_the_same(void **state)
{
    struct dbk_tree *pushed, *tree = made_tree(2000);
    struct dbk_hash entries[300], roots[2];
    uint64_t size = 0;

    (void)state;
    assert_int_equal(dbk_tree_create(NULL, &pushed, NULL), DBK_OK);
    for (size_t count = 0; size + count <= 2000; count = (count + 77) % 300) {
        made_entries(NULL, size, count, entries, NULL);
        assert_int_equal(dbk_tree_add(pushed, entries, count, NULL), DBK_OK);
        size += count;
        assert_int_equal(dbk_tree_root(pushed, size, &roots[0], NULL), DBK_OK);
        assert_int_equal(dbk_tree_root(tree, size, &roots[1], NULL), DBK_OK);
        assert_true(dbk_hash_equal(&roots[0], &roots[1]));
    }
    assert_int_equal(dbk_tree_root(pushed, 100, &roots[0], NULL), DBK_NOT_FOUND);
    assert_int_equal(dbk_tree_grow(pushed, 2000, NULL, NULL), DBK_NOT_FOUND);
    dbk_tree_destroy(pushed);
    dbk_tree_destroy(tree);
}

/* Many ask while one lets it grow. */
struct asked {
    struct dbk_tree *tree;
    atomic_bool ends;
};

static void *ask(void *argument)
{
    struct asked *asked = argument;
    uintptr_t wrong = 0;
    uint64_t size;

    while (!atomic_load(&asked->ends)) {
        struct dbk_proof proof;
        struct dbk_hash root, entry, tile[DBK_TILE_WIDTH];

        size = dbk_tree_size(asked->tree);
        if (size == 0)
            continue;
        made_entry(size / 2, &entry);
        wrong += dbk_tree_inclusion(asked->tree, size / 2, size, &proof, NULL) ||
                 dbk_tree_root(asked->tree, size, &root, NULL) ||
                 !dbk_proof_includes(&proof, &entry, size / 2, size, &root) ||
                 dbk_tree_tile(asked->tree, 0, (size - 1) / 256,
                               (unsigned)((size - 1) % 256) + 1, tile, NULL);
    }
    return (void *)wrong;
}

static void who_asks_while_it_grows_gets_what_is_right(void **state)
{
    struct asked asked = {.tree = made_tree(0)};
    pthread_t threads[3];
    void *wrong;

    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &asked), 0);
    for (uint64_t size = 0; size < 4000; size += 7)
        assert_int_equal(dbk_tree_grow(asked.tree, size, NULL, NULL), DBK_OK);
    atomic_store(&asked.ends, true);
    for (size_t i = 0; i < 3; i++) {
        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
    dbk_tree_destroy(asked.tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_hashed_as_the_vectors_say),
        cmocka_unit_test(the_roots_are_those_of_the_vectors),
        cmocka_unit_test(a_path_is_that_of_the_vectors),
        cmocka_unit_test(what_extends_what_is_proven_as_in_the_vectors),
        cmocka_unit_test(tiles_and_bundles_are_those_of_the_vectors),
        cmocka_unit_test(what_is_beyond_the_tree_is_not_there),
        cmocka_unit_test(every_small_size_is_proven_and_no_wrong_bit_is_believed),
        cmocka_unit_test(numbers_from_anywhere_prove_nothing),
        cmocka_unit_test(however_it_grows_it_is_the_same),
        cmocka_unit_test(who_asks_while_it_grows_gets_what_is_right),
    };

    return cmocka_run_group_tests(tests, make_large, drop_large) != 0;
}
