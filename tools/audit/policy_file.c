#include "policy_file.h"

#include "store/durable.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { POLICY_BYTES = 256 << 10 };

enum dbk_code policy_file_read(const char *path, struct dbk_policy **policy,
                               struct dbk_error *err)
{
    char *text = malloc(POLICY_BYTES);
    size_t length;
    enum dbk_code code = DBK_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    *policy = NULL;
    if (fd < 0)
        code = dbk_system_fail(err, "open the policy", path);
    else if (!text)
        code = dbk_fail(err, DBK_NO_MEMORY, "no memory to read %.300s", path);
    if (code == DBK_OK)
        code = dbk_read_all(fd, text, POLICY_BYTES, &length, path, err);
    if (code == DBK_OK && length == POLICY_BYTES)
        code = dbk_fail(err, DBK_INVALID, "%.300s: too large for a policy", path);
    if (code == DBK_OK &&
        dbk_policy_parse((struct dbk_slice){text, length}, policy, err) != DBK_OK)
        code = dbk_wrap(err, "%.300s", path);
    if (fd >= 0)
        close(fd);
    free(text);
    return code;
}
