/* GET /tile/{level}/{index}: hashes of the tree, 256 at most, or entries of it
 * (c2sp.org/tlog-tiles). What lies under those of level 0 is read from the log for it. */
#include "access.h"
#include "handlers.h"
#include "proof.h"
#include "response.h"
#include "store/proof/notary.h"
#include "worker.h"

#include <inttypes.h>
#include <string.h>

/* What a tile says never changes; who may see it does. */
static const char *cache_control(const struct service *service)
{
    if (service->options.audit_public || !access_required(service->access))
        return "public, max-age=31536000, immutable";
    return "private, max-age=31536000, immutable";
}

/* Whether a tree of this size has all of it. */
static bool is_there(const struct dbk_tile *tile, uint64_t size)
{
    uint64_t hashes = tile->level < 8 ? size >> 8 * tile->level : 0;

    return tile->n <= hashes / DBK_TILE_WIDTH &&
           tile->n * DBK_TILE_WIDTH + tile->width <= hashes;
}

static enum dbk_code find_tile(struct request *rq, struct dbk_tile *tile,
                               struct dbk_error *err)
{
    const struct dbk_log_checkpoint *newest = &rq->worker->checkpoint.checkpoint;

    if (!dbk_tile_parse(dbk_slice(rq->path + 1), tile))
        return dbk_fail(err, DBK_NOT_FOUND,
                        "There is no such tile; they are told as /tile/L/N, "
                        "/tile/entries/N, and partial ones with .p/W behind that");
    if (proof_newest(rq, err) != DBK_OK)
        return err->code;
    if (!is_there(tile, newest->size))
        return dbk_fail(err, DBK_NOT_FOUND,
                        "The newest checkpoint, of %" PRIu64
                        " records, has no such tile",
                        newest->size);
    return DBK_OK;
}

static void render_bundle(struct dbk_render *out, const struct dbk_hash *entries,
                          unsigned count)
{
    static const char length[2] = {0, DBK_HASH_BYTES};

    for (unsigned i = 0; i < count; i++) {
        dbk_render_raw(out, length, sizeof length);
        dbk_render_raw(out, (const char *)entries[i].bytes, DBK_HASH_BYTES);
    }
}

enum dbk_code handle_tile(struct request *rq, struct response *rs,
                          struct dbk_error *err)
{
    struct dbk_hash hashes[DBK_TILE_WIDTH];
    struct dbk_tree *tree;
    struct dbk_tile tile;
    enum dbk_code code;

    if (find_tile(rq, &tile, err) != DBK_OK)
        return err->code;
    tree = dbk_notary_tree(rq->service->options.notary);
    if (tile.entries)
        code = dbk_tree_entries(tree, tile.n, tile.width, hashes, err);
    else
        code = dbk_tree_tile(tree, tile.level, tile.n, tile.width, hashes, err);
    if (code != DBK_OK)
        return proof_failed(rq, err);
    if (tile.entries)
        render_bundle(&rs->body, hashes, tile.width);
    else
        dbk_render_raw(&rs->body, (const char *)hashes, tile.width * sizeof *hashes);
    rs->content_type = "application/octet-stream";
    rs->cache_control = cache_control(rq->service);
    rs->status = 200;
    return DBK_OK;
}
