#include "backup_keys_place.h"

#include "backup_keys.h"
#include "backup_keys_file.h"
#include "store/keys.h"
#include "tool_keys.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool backup_keys_find(const char *from, char out[PATH_MAX])
{
    const char *name = strrchr(from, '/');
    char ring[PATH_MAX + 16];

    name = name ? name + 1 : from;
    if (snprintf(out, PATH_MAX, "%s/%s" BACKUP_KEYS, from,
                 strcmp(name, "log") != 0 ? "" : "../") >= PATH_MAX)
        return false;
    snprintf(ring, sizeof ring, "%s/ring", out);
    return access(ring, F_OK) == 0;
}

/* Also a link that leads nowhere now. */
static bool is_there(const char *dir, const char *name)
{
    char path[BACKUP_KEYS_PATH];
    struct stat status;

    snprintf(path, sizeof path, "%.*s/%s", PATH_MAX, dir, name);
    return lstat(path, &status) == 0;
}

/* The master key by which the ring will be opened: false where the backup's is to be put there. */
static bool find_master(const struct tool_keys_place *place,
                        char master[BACKUP_KEYS_PATH])
{
    if (place->master[0])
        snprintf(master, BACKUP_KEYS_PATH, "%s", place->master);
    else
        snprintf(master, BACKUP_KEYS_PATH, "%.*s/master", PATH_MAX, place->dir);
    return place->master[0] || is_there(place->dir, "master") ||
           is_there(place->dir, "master.new");
}

static enum dbk_code check_opens(const struct tool_keys_place *place, const char *from,
                                 const char *master, struct dbk_error *err)
{
    const struct dbk_keys_options options = {.master = master, .read_only = true};
    bool own = is_there(from, "master"), configured = place->master[0];
    struct dbk_keys *keys;
    enum dbk_code code = dbk_keys_open(from, &options, &keys, err);

    dbk_keys_close(keys);
    if (code == DBK_CONFLICT && configured && own)
        return dbk_fail(err, code,
                        "the master key %.200s does not open the backup's ring: put "
                        "the one there that does, %.200s/master",
                        master, from);
    if ((code == DBK_CONFLICT || code == DBK_NOT_FOUND) && !configured)
        return dbk_fail(err, DBK_CONFLICT,
                        "there is a master key %.200s%s, which does not open the "
                        "backup's ring, %.200s/ring: move it away%s",
                        master, is_there(place->dir, "master") ? "" : ".new", from,
                        own ? ", and the backup's is put there"
                            : ", and put the one there that does");
    return code == DBK_OK ? DBK_OK : dbk_wrap(err, "the backup's ring");
}

/* Whatever comes to be there is ours from here on. */
static enum dbk_code put(const char *from, const char *name,
                         const struct backup_keys_placed *placed, bool *ours,
                         struct dbk_error *err)
{
    char source[BACKUP_KEYS_PATH], target[BACKUP_KEYS_PATH];

    snprintf(source, sizeof source, "%.*s/%s", PATH_MAX, from, name);
    snprintf(target, sizeof target, "%.*s/%s", PATH_MAX, placed->dir, name);
    *ours = true;
    return backup_keys_copy(source, target, err);
}

enum dbk_code backup_keys_place(const struct config *config, const char *from,
                                struct backup_keys_placed *placed,
                                struct dbk_error *err)
{
    struct tool_keys_place place;
    char master[BACKUP_KEYS_PATH];
    enum dbk_code code = tool_keys_find(config, &place, err);
    bool has_master;

    *placed = (struct backup_keys_placed){.folder = false};
    if (code != DBK_OK)
        return code;
    has_master = find_master(&place, master);
    if (has_master)
        code = check_opens(&place, from, master, err);
    if (code != DBK_OK)
        return code;
    memcpy(placed->dir, place.dir, sizeof placed->dir);
    placed->folder = access(placed->dir, F_OK) != 0;
    code = backup_keys_folder(placed->dir, err);
    if (code == DBK_OK && !has_master && is_there(from, "master.new"))
        code = put(from, "master.new", placed, &placed->next, err);
    if (code == DBK_OK && !has_master && is_there(from, "master"))
        code = put(from, "master", placed, &placed->master, err);
    /* The last, so that one that is there opens. */
    return code == DBK_OK ? put(from, "ring", placed, &placed->ring, err) : code;
}

static void take(const struct backup_keys_placed *placed, const char *name, bool ours)
{
    char path[BACKUP_KEYS_PATH];

    snprintf(path, sizeof path, "%.*s/%s", PATH_MAX, placed->dir, name);
    if (ours)
        unlink(path);
}

void backup_keys_take_back(const struct backup_keys_placed *placed)
{
    take(placed, "ring", placed->ring);
    take(placed, "master", placed->master);
    take(placed, "master.new", placed->next);
    if (placed->folder)
        rmdir(placed->dir);
}
