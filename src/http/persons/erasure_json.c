#include "http/erasure_json.h"

#include "json_base64.h"
#include "store/proof/tree.h"

#include <sodium.h>

/* What nobody can tell from here. */
static const struct {
    const char *what, *text;
} elsewhere[] = {
    {"exports",
     "exports made with --unseal, or before the log was sealed, have the data: "
     "delete them"},
    {"replays", "schemas made by daybook replay or rebuild --keep-old before have the "
                "data: drop them"},
    {"postgresql",
     "PostgreSQL's dead rows, statistics and WAL have the data until daybook "
     "rebuild --scrub, and so have its backups, archives and replicas"},
    {"clients",
     "who was answered with the data, or followed the log, may have kept it"},
};

static void add_unknown(struct dbk_render *out, bool first, const char *what,
                        dbk_timestamp at, const char *text)
{
    dbk_render_text(out, first ? "{\"what\":\"" : ",{\"what\":\"");
    dbk_render_text(out, what);
    dbk_render_text(out, "\",\"at\":");
    if (at > 0)
        dbk_render_timestamp(out, at);
    else
        dbk_render_text(out, "null");
    dbk_render_named(out, ",\"text\":", dbk_slice(text));
    dbk_render_text(out, "}");
}

/* Copies of the ring that may still have the keys. */
static void add_keys(const struct dbk_erasure *erasure,
                     const struct dbk_erasure_known *known, struct dbk_render *out)
{
    const struct dbk_keys_state *ring = &erasure->ring;
    bool copied = erasure->has_ring && ring->copied_epoch == ring->epoch &&
                  ring->copied_at > 0 && ring->copied_at < erasure->erased_at;

    add_unknown(
        out, true, "keys", copied ? ring->copied_at : 0,
        "copies of the ring of keys made before the erasure open the data until "
        "the next daybook keys rotate");
    add_unknown(out, false, "backups",
                known->backup_at < erasure->erased_at ? known->backup_at : 0,
                "backups made with the keys before the erasure have both the data and "
                "what opens it, where the master key is in them");
}

static void render_unknown(const struct dbk_erasure *erasure,
                           const struct dbk_erasure_known *known,
                           struct dbk_render *out)
{
    dbk_render_text(out, ",\"not_known\":[");
    add_keys(erasure, known, out);
    for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
        add_unknown(out, false, elsewhere[i].what, 0, elsewhere[i].text);
    dbk_render_text(out, "]");
}

static void render_done(const struct dbk_erasure *erasure,
                        const struct dbk_erasure_known *known, struct dbk_render *out)
{
    bool gone = known->tables >= erasure->sequence && !known->aside;

    dbk_render_text(out, ",\"done\":{\"keys\":");
    dbk_render_text(out, erasure->destroyed  ? "\"destroyed\",\"memory\":\"wiped\""
                         : erasure->has_ring ? "\"pending\",\"memory\":\"pending\""
                                             : "null,\"memory\":null");
    dbk_render_text(out, ",\"tables\":");
    dbk_render_text(out, gone                ? "\"removed\"}"
                         : known->tables > 0 ? "\"pending\"}"
                                             : "null}");
}

static void render_rotation(const struct dbk_erasure *erasure, struct dbk_render *out)
{
    dbk_render_text(out, ",\"pending\":");
    dbk_render_text(out, erasure->complete ? "false" : "true");
    dbk_render_text(out, ",\"rotation\":{\"epoch\":");
    if (erasure->has_ring)
        dbk_render_number(out, erasure->ring.epoch);
    else
        dbk_render_text(out, "null");
    dbk_render_text(out, ",\"at\":");
    if (erasure->complete && erasure->ring.rotated_at > 0)
        dbk_render_timestamp(out, erasure->ring.rotated_at);
    else
        dbk_render_text(out, "null");
    dbk_render_text(out, "}");
}

static void render_record(const struct dbk_erasure *erasure, struct dbk_render *out)
{
    char hex[2 * DBK_HASH_BYTES + 1];
    struct dbk_hash entry;

    dbk_hash_entry(erasure->bytes.data, erasure->bytes.length, &entry);
    sodium_bin2hex(hex, sizeof hex, entry.bytes, sizeof entry.bytes);
    dbk_render_named(out, ",\"entry\":", dbk_slice(hex));
    dbk_render_text(out, ",\"record\":");
    json_base64_render(out, erasure->bytes);
}

void dbk_erasure_json(const struct dbk_erasure *erasure,
                      const struct dbk_erasure_known *known, struct dbk_render *out)
{
    dbk_render_text(out, "{\"person_id\":");
    dbk_render_uuid(out, &erasure->person);
    dbk_render_text(out, ",\"sequence\":");
    dbk_render_number(out, erasure->sequence);
    dbk_render_text(out, ",\"erased_at\":");
    dbk_render_timestamp(out, erasure->erased_at);
    dbk_render_text(out, ",\"keys_destroyed\":");
    dbk_render_number(out, erasure->keys);
    dbk_render_text(out, ",\"records\":");
    if (erasure->counted)
        dbk_render_number(out, erasure->records);
    else
        dbk_render_text(out, "null");
    render_rotation(erasure, out);
    render_done(erasure, known, out);
    render_unknown(erasure, known, out);
    render_record(erasure, out);
    dbk_render_named(out, ",\"proof\":", known->proof);
    dbk_render_text(out, "}");
}
