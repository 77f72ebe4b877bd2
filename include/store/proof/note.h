/* note.h - signed notes, as c2sp.org/signed-note has them: a text, an empty line, and lines
 * of signatures under it. Keys and signatures of Ed25519; a witness's are those of
 * c2sp.org/tlog-cosignature. Signatures of other kinds are carried along, not looked at.
 *
 * Everything here is strict: what is taken is in its one canonical form.
 */
#ifndef DBK_STORE_PROOF_NOTE_H
#define DBK_STORE_PROOF_NOTE_H

#include "store/error.h"
#include "store/slice.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DBK_NOTE_NAME_MAX 255 /* bytes of a key's name */
#define DBK_NOTE_ID 4         /* bytes of its id */

enum dbk_key_type {
    DBK_KEY_LOG = 0x01,     /* signs a text */
    DBK_KEY_WITNESS = 0x04, /* signs that it saw it, and when */
};

/* Whether a key may be called so: UTF-8, no spaces of Unicode, no control characters, no
 * plus, not empty nor too long. */
bool dbk_note_name_valid(struct dbk_slice name);

/* What verifies. */
struct dbk_vkey {
    char name[DBK_NOTE_NAME_MAX + 1];
    enum dbk_key_type type;
    uint8_t id[DBK_NOTE_ID]; /* follows from the others */
    uint8_t public_key[32];
};

/* As text: NAME+ID+KEY, the id in hexadecimal, type and key in base64.
 *
 * DBK_INVALID      it is not that, or the id is another key's
 * DBK_UNSUPPORTED  of a type that is not known here */
#define DBK_VKEY_TEXT (DBK_NOTE_NAME_MAX + 1 + 8 + 1 + 44)
enum dbk_code dbk_vkey_parse(struct dbk_slice text, struct dbk_vkey *key,
                             struct dbk_error *err);
size_t dbk_vkey_format(const struct dbk_vkey *key, char out[DBK_VKEY_TEXT + 1]);
bool dbk_vkey_equal(const struct dbk_vkey *a, const struct dbk_vkey *b);

/* What signs. Wipe it when it is no longer needed. */
struct dbk_skey {
    struct dbk_vkey vkey;
    uint8_t seed[32];
};

/* Make one, of a seed of 32 bytes, or of chance (NULL). DBK_INVALID: the name. DBK_INTERNAL. */
enum dbk_code dbk_skey_make(struct dbk_slice name, enum dbk_key_type type,
                            const uint8_t *seed, struct dbk_skey *key,
                            struct dbk_error *err);
/* As text: PRIVATE+KEY+NAME+ID+SEED, as Go's x/mod has it. As dbk_vkey_parse. */
#define DBK_SKEY_TEXT (12 + DBK_VKEY_TEXT)
enum dbk_code dbk_skey_parse(struct dbk_slice text, struct dbk_skey *key,
                             struct dbk_error *err);
size_t dbk_skey_format(const struct dbk_skey *key, char out[DBK_SKEY_TEXT + 1]);
void dbk_skey_wipe(struct dbk_skey *key);

#define DBK_NOTE_MAX ((size_t)256 << 10) /* bytes that are looked at */
#define DBK_NOTE_SIGNATURES_MAX 100
#define DBK_SIGNATURE_MAX ((size_t)8 << 10) /* bytes of one */

/* A note taken apart; slices point into its bytes. */
struct dbk_note {
    struct dbk_slice text; /* with its last line feed */
    size_t count;
    struct dbk_note_signature {
        struct dbk_slice line; /* with its line feed */
        struct dbk_slice name;
        uint8_t id[DBK_NOTE_ID];
        size_t length;     /* of what is behind the id; of the kinds known here: */
        uint8_t bytes[72]; /* those */
    } signatures[DBK_NOTE_SIGNATURES_MAX];
};

/* Take it apart; no signature is verified. DBK_INVALID: it is none. DBK_TOO_LARGE. */
enum dbk_code dbk_note_parse(struct dbk_slice bytes, struct dbk_note *note,
                             struct dbk_error *err);

/* Whether the note has this key's signature. *time (may be NULL) receives when a witness
 * signed, seconds since 1970; of several by one witness the latest.
 *
 * DBK_NOT_FOUND  it has none
 * DBK_INVALID    it has one that is wrong: the whole note is not to be believed */
enum dbk_code dbk_note_verify(const struct dbk_note *note, const struct dbk_vkey *key,
                              uint64_t *time, struct dbk_error *err);

/* Write the line of this key's signature of the text, with its line feed and a NUL; returns
 * its length; 0: no memory, of a witness's. time, seconds since 1970, counts for one. The
 * text ends with a line feed. */
#define DBK_NOTE_LINE (4 + DBK_NOTE_NAME_MAX + 1 + 104 + 1)
size_t dbk_note_sign(struct dbk_slice text, const struct dbk_skey *key, uint64_t time,
                     char out[DBK_NOTE_LINE + 1]);

#endif
