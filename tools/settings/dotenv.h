/* dotenv.h - reads a .env file: NAME=VALUE lines.
 *
 *   # a comment; blank lines are fine
 *   export NAME = value      "export" and space around = are fine
 *   NAME=value # a comment   an unquoted value ends before a # that follows a space
 *   NAME="a \"b\" \n $c"     \n \t \r \\ \" \$ mean what they do in a shell's $'…'
 *   NAME='a "b" \n'          as it stands
 *
 * A value ends on its line, and $NAME is not replaced. A name given twice has its last
 * value.
 */
#ifndef DBK_TOOLS_DOTENV_H
#define DBK_TOOLS_DOTENV_H

#include "store/error.h"

#include <stddef.h>

#define DOTENV_SIZE_MAX ((size_t)256 * 1024)

/* Zero it before first use; dotenv_finish frees it. */
struct dotenv {
    struct dotenv_entry {
        const char *name; /* both owned by the dotenv */
        const char *value;
        unsigned line; /* from 1 */
    } * entries;
    size_t count;
    char *text; /* private */
};

/* Read the file at path. One that is missing leaves *out empty.
 *
 * DBK_INVALID    err names the file, the line and what is wrong with it
 * DBK_TOO_LARGE  more than DOTENV_SIZE_MAX bytes
 * DBK_IO         not a file, or it cannot be read
 * DBK_NO_MEMORY
 */
enum dbk_code dotenv_read(const char *path, struct dotenv *out, struct dbk_error *err);
void dotenv_finish(struct dotenv *dotenv);

/* The last entry of this name, or NULL. */
const struct dotenv_entry *dotenv_find(const struct dotenv *dotenv, const char *name);

#endif
