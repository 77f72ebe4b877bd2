/* cosign_private.h - one witness, and all of them. */
#ifndef DBK_TOOLS_COSIGN_PRIVATE_H
#define DBK_TOOLS_COSIGN_PRIVATE_H

#include "cosign.h"
#include "http/client.h"
#include "store/clock.h"

struct cosign_ask {
    const struct dbk_policy_key *witness;
    struct dbk_witness_state *state; /* within told */
    char url[sizeof((struct dbk_policy_key *)0)->url + 16];
    enum dbk_witness_verdict reported; /* since this runs */
    bool busy;                         /* a request is on its way */
    unsigned tries;                    /* sizes that it has told, in a row */
    unsigned failures;                 /* in a row */
    dbk_deadline next;                 /* not to be asked before */
    uint64_t old, asked_with;          /* records that it is believed to know */
    struct dbk_signed_checkpoint sent; /* what it was, or is, asked about */
    bool has_line;                     /* it has signed that: */
    char line[DBK_NOTE_LINE + 1];
};

struct cosign {
    struct cosign_options options;
    int lock;
    struct dbk_client *client;
    struct dbk_tree *tree; /* NULL: to be made again */
    struct dbk_vkey key;   /* that signed target */
    struct dbk_signed_checkpoint target;
    bool has_target;
    dbk_deadline target_until, grace; /* another one may take its place */
    dbk_deadline look;                /* when to look whether there is */
    unsigned written;                 /* signatures of it that cosigned has */
    bool changed;                     /* told is to be written */
    struct dbk_witnesses told;
    size_t count;
    struct cosign_ask asks[DBK_POLICY_MAX];
};

/* Whether it has signed the checkpoint that is the target. */
bool cosign_ask_has_signed(const struct cosign *cosign, const struct cosign_ask *ask);
/* Whether it is to be asked about the target, now or later. */
bool cosign_ask_wants(const struct cosign *cosign, const struct cosign_ask *ask);

/* Send the request. A failure is of this machine. */
enum dbk_code cosign_ask_send(struct cosign *cosign, struct cosign_ask *ask,
                              struct dbk_error *err);
/* Take the answer, and tell what has changed. */
void cosign_ask_take(struct cosign *cosign, struct cosign_ask *ask,
                     const struct dbk_client_answer *answer);

/* Read what was signed last, with the key that has. As dbk_audit_last. */
enum dbk_code cosign_read_last(const char *dir, struct dbk_vkey *key,
                               struct dbk_signed_checkpoint *out,
                               struct dbk_error *err);

#endif
