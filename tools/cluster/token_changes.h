/* token_changes.h - what makes one table of access tokens of another: as lines that all
 * machines of a cluster are told. */
#ifndef DBK_TOOLS_TOKEN_CHANGES_H
#define DBK_TOOLS_TOKEN_CHANGES_H

#include "http/tokens.h"
#include "store/slice.h"

#include <stddef.h>

struct token_change {
    bool revoked;
    struct dbk_token token; /* revoked: its name */
};

struct token_changes {
    struct token_change *list; /* owned */
    size_t count;
};
void token_changes_finish(struct token_changes *changes); /* zeroed is fine */

/* What makes `to` of `from`, in the order of their lines. DBK_NO_MEMORY. */
enum dbk_code token_changes_find(const struct dbk_tokens *from,
                                 const struct dbk_tokens *to, struct token_changes *out,
                                 struct dbk_error *err);

/* Leave out those that are in others. */
void token_changes_without(struct token_changes *changes,
                           const struct token_changes *others);

/* Make them in a table, which has room for DBK_TOKENS_MAX; what is more is left out. */
void token_changes_apply(const struct token_changes *changes,
                         struct dbk_tokens *tokens);

/* JSON lines, {"put":"LINE"} or {"revoke":"NAME"}; malloc'd. DBK_NO_MEMORY. */
enum dbk_code token_changes_write(const struct token_changes *changes, char **text,
                                  size_t *length, struct dbk_error *err);

/* The table that lines {"put":"LINE"} tell. A line of a newer program is none of ours, and
 * left out. There is room for DBK_TOKENS_MAX. DBK_NO_MEMORY. */
enum dbk_code token_changes_table(struct dbk_slice text, struct dbk_tokens *out,
                                  struct dbk_error *err);

bool token_tables_equal(const struct dbk_tokens *one, const struct dbk_tokens *other);

#endif
