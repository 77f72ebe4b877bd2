/* An auditor's side. Source: RFC 9162, 2.1.3.2 and 2.1.4.2. */
#include "store/proof/tree.h"

static void step(uint64_t *fn, uint64_t *sn)
{
    *fn >>= 1;
    *sn >>= 1;
}

bool dbk_proof_includes(const struct dbk_proof *proof, const struct dbk_hash *entry,
                        uint64_t index, uint64_t size, const struct dbk_hash *root)
{
    uint64_t fn = index, sn = size - 1;
    struct dbk_hash hash;

    if (index >= size || proof->count > DBK_PROOF_MAX)
        return false;
    dbk_hash_leaf(entry, &hash);
    for (size_t i = 0; i < proof->count; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            dbk_hash_node(&proof->hashes[i], &hash, &hash);
            while (!(fn & 1) && fn)
                step(&fn, &sn);
        } else {
            dbk_hash_node(&hash, &proof->hashes[i], &hash);
        }
        step(&fn, &sn);
    }
    return sn == 0 && dbk_hash_equal(&hash, root);
}

/* Where 0 < old < size. */
static bool check_extension(const struct dbk_proof *proof, uint64_t old,
                            const struct dbk_hash *old_root, uint64_t size,
                            const struct dbk_hash *root)
{
    uint64_t fn = old - 1, sn = size - 1;
    struct dbk_hash from_old, from_new;
    size_t i = 0;

    while (fn & 1)
        step(&fn, &sn);
    if (fn > 0 && proof->count == 0)
        return false;
    from_old = from_new = fn > 0 ? proof->hashes[i++] : *old_root;
    for (; i < proof->count; i++) {
        if (sn == 0)
            return false;
        if ((fn & 1) || fn == sn) {
            dbk_hash_node(&proof->hashes[i], &from_old, &from_old);
            dbk_hash_node(&proof->hashes[i], &from_new, &from_new);
            while (!(fn & 1) && fn)
                step(&fn, &sn);
        } else {
            dbk_hash_node(&from_new, &proof->hashes[i], &from_new);
        }
        step(&fn, &sn);
    }
    return sn == 0 && dbk_hash_equal(&from_old, old_root) &&
           dbk_hash_equal(&from_new, root);
}

bool dbk_proof_extends(const struct dbk_proof *proof, uint64_t old,
                       const struct dbk_hash *old_root, uint64_t size,
                       const struct dbk_hash *root)
{
    struct dbk_hash empty;

    if (old > size || proof->count > DBK_PROOF_MAX)
        return false;
    if (old > 0 && old < size)
        return check_extension(proof, old, old_root, size, root);
    dbk_hash_empty(&empty);
    return proof->count == 0 &&
           (old == 0 ? dbk_hash_equal(old_root, &empty)
                     : dbk_hash_equal(old_root, root)) &&
           (size > 0 || dbk_hash_equal(root, &empty));
}
