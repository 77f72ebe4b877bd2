/* Policy files, and what they ask for. Source: c2sp.org/tlog-policy. */
#include "lines.h"
#include "store/proof/checkpoint.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 3 + 2 * DBK_POLICY_MAX };

struct line {
    size_t number; /* from 1 */
    size_t count;
    struct dbk_slice words[WORDS_MAX];
};

struct reader {
    struct dbk_policy *policy;
    const struct dbk_slice *words;
    size_t count;
    bool quorum; /* there was one */
};

/* Tab, and what is printed; bytes behind ASCII are nobody's business. */
static bool is_allowed(struct dbk_slice line)
{
    for (size_t i = 0; i < line.length; i++) {
        unsigned char c = (unsigned char)line.data[i];

        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return false;
    }
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool cut(struct dbk_slice text, struct line *line)
{
    size_t i = 0;

    line->count = 0;
    while (i < text.length) {
        size_t begin;

        while (i < text.length && is_blank(text.data[i]))
            i++;
        begin = i;
        while (i < text.length && !is_blank(text.data[i]))
            i++;
        if (i > begin && line->count == WORDS_MAX)
            return false;
        if (i > begin)
            line->words[line->count++] =
                (struct dbk_slice){text.data + begin, i - begin};
    }
    return true;
}

static bool is_word(struct dbk_slice word, const char *text)
{
    return dbk_slice_equal(word, dbk_slice(text));
}

/* A bit of one of the two, where something has this name. */
static bool find(const struct dbk_policy *policy, struct dbk_slice name,
                 uint64_t *witness, uint64_t *group)
{
    *witness = *group = 0;
    for (size_t i = 0; i < policy->witness_count; i++) {
        if (is_word(name, policy->witnesses[i].name))
            *witness = UINT64_C(1) << i;
    }
    for (size_t i = 0; i < policy->group_count; i++) {
        if (is_word(name, policy->groups[i].name))
            *group = UINT64_C(1) << i;
    }
    return *witness || *group;
}

static enum dbk_code take_name(const struct dbk_policy *policy, struct dbk_slice name,
                               char out[DBK_NOTE_NAME_MAX + 1], struct dbk_error *err)
{
    uint64_t witness, group;

    if (name.length > DBK_NOTE_NAME_MAX)
        return dbk_fail(err, DBK_INVALID, "a name of more than %d bytes",
                        DBK_NOTE_NAME_MAX);
    if (is_word(name, "none") || find(policy, name, &witness, &group))
        return dbk_fail(err, DBK_INVALID, "the name %.*s is taken", (int)name.length,
                        name.data);
    memcpy(out, name.data, name.length);
    out[name.length] = '\0';
    return DBK_OK;
}

static enum dbk_code too_many(struct dbk_error *err)
{
    return dbk_fail(err, DBK_TOO_LARGE, "more than %d of a kind", DBK_POLICY_MAX);
}

static bool is_known(const struct dbk_policy_key *list, size_t count,
                     const struct dbk_vkey *key)
{
    for (size_t i = 0; i < count; i++) {
        if (!memcmp(list[i].vkey.public_key, key->public_key, sizeof key->public_key))
            return true;
    }
    return false;
}

/* VKEY [URL] at the end of the line. */
static enum dbk_code take_key(const struct dbk_slice *words, size_t count,
                              enum dbk_key_type type, const struct dbk_policy_key *list,
                              size_t known, struct dbk_policy_key *key,
                              struct dbk_error *err)
{
    enum dbk_code code = dbk_vkey_parse(words[0], &key->vkey, err);

    if (code != DBK_OK)
        return code;
    if (key->vkey.type != type)
        return dbk_fail(err, DBK_INVALID, "%s key is of the other kind",
                        type == DBK_KEY_LOG ? "the log's" : "the witness's");
    if (is_known(list, known, &key->vkey))
        return dbk_fail(err, DBK_INVALID, "the key of %s is there already",
                        key->vkey.name);
    if (count == 1)
        return DBK_OK;
    if (words[1].length >= sizeof key->url)
        return dbk_fail(err, DBK_INVALID, "a URL of more than %zu bytes",
                        sizeof key->url - 1);
    memcpy(key->url, words[1].data, words[1].length);
    return DBK_OK;
}

static enum dbk_code read_log(struct reader *reader, struct dbk_error *err)
{
    struct dbk_policy *policy = reader->policy;
    struct dbk_policy_key key = {.url = ""};
    enum dbk_code code;

    if (reader->count < 2 || reader->count > 3)
        return dbk_fail(err, DBK_INVALID, "expected: log VKEY [URL]");
    if (policy->log_count == DBK_POLICY_MAX)
        return too_many(err);
    code = take_key(reader->words + 1, reader->count - 1, DBK_KEY_LOG, policy->logs,
                    policy->log_count, &key, err);
    if (code != DBK_OK)
        return code;
    memcpy(key.name, key.vkey.name, sizeof key.name);
    policy->logs[policy->log_count++] = key;
    return DBK_OK;
}

static enum dbk_code read_witness(struct reader *reader, struct dbk_error *err)
{
    struct dbk_policy *policy = reader->policy;
    struct dbk_policy_key key = {.url = ""};
    enum dbk_code code;

    if (reader->count < 3 || reader->count > 4)
        return dbk_fail(err, DBK_INVALID, "expected: witness NAME VKEY [URL]");
    if (policy->witness_count == DBK_POLICY_MAX)
        return too_many(err);
    code = take_name(policy, reader->words[1], key.name, err);
    if (code == DBK_OK)
        code = take_key(reader->words + 2, reader->count - 2, DBK_KEY_WITNESS,
                        policy->witnesses, policy->witness_count, &key, err);
    if (code == DBK_OK)
        policy->witnesses[policy->witness_count++] = key;
    return code;
}

/* A name is a member once, of one group: so a witness counts in one way only. */
static enum dbk_code check_member(const struct dbk_policy *policy,
                                  const struct dbk_policy_group *group,
                                  uint64_t witness, uint64_t member,
                                  struct dbk_slice name, struct dbk_error *err)
{
    uint64_t witnesses = group->witnesses, groups = group->groups;

    for (size_t i = 0; i < policy->group_count; i++) {
        witnesses |= policy->groups[i].witnesses;
        groups |= policy->groups[i].groups;
    }
    if ((witnesses & witness) == 0 && (groups & member) == 0)
        return DBK_OK;
    return dbk_fail(err, DBK_INVALID, "%.*s is a member already", (int)name.length,
                    name.data);
}

static enum dbk_code not_there(struct dbk_slice name, struct dbk_error *err)
{
    int length = name.length < 200 ? (int)name.length : 200;

    return dbk_fail(err, DBK_INVALID, "no line above says what %.*s is", length,
                    name.data);
}

static enum dbk_code take_members(const struct reader *reader,
                                  struct dbk_policy_group *group, struct dbk_error *err)
{
    for (size_t i = 3; i < reader->count; i++) {
        struct dbk_slice name = reader->words[i];
        uint64_t witness, member;
        enum dbk_code code;

        if (!find(reader->policy, name, &witness, &member))
            return not_there(name, err);
        code = check_member(reader->policy, group, witness, member, name, err);
        if (code != DBK_OK)
            return code;
        group->witnesses |= witness;
        group->groups |= member;
    }
    return DBK_OK;
}

static bool take_needed(struct dbk_slice word, size_t members, unsigned *out)
{
    uint64_t number = is_word(word, "any") ? 1 : members;
    bool right = is_word(word, "any") || is_word(word, "all") ||
                 lines_number(word, members, &number);

    *out = (unsigned)number;
    return right && number > 0;
}

static enum dbk_code read_group(struct reader *reader, struct dbk_error *err)
{
    struct dbk_policy *policy = reader->policy;
    struct dbk_policy_group group = {.needed = 0};
    enum dbk_code code;

    if (reader->count < 4 ||
        !take_needed(reader->words[2], reader->count - 3, &group.needed))
        return dbk_fail(err, DBK_INVALID,
                        "expected: group NAME all|any|NUMBER MEMBER...");
    if (policy->group_count == DBK_POLICY_MAX)
        return too_many(err);
    code = take_name(policy, reader->words[1], group.name, err);
    if (code == DBK_OK)
        code = take_members(reader, &group, err);
    if (code == DBK_OK)
        policy->groups[policy->group_count++] = group;
    return code;
}

static enum dbk_code read_quorum(struct reader *reader, struct dbk_error *err)
{
    struct dbk_policy *policy = reader->policy;

    if (reader->count != 2)
        return dbk_fail(err, DBK_INVALID, "expected: quorum NAME, or quorum none");
    if (reader->quorum)
        return dbk_fail(err, DBK_INVALID, "a second quorum");
    reader->quorum = true;
    if (is_word(reader->words[1], "none") ||
        find(policy, reader->words[1], &policy->quorum_witness, &policy->quorum_group))
        return DBK_OK;
    return not_there(reader->words[1], err);
}

static enum dbk_code read_line(struct reader *reader, struct dbk_error *err)
{
    static const struct {
        const char *word;
        enum dbk_code (*read)(struct reader *, struct dbk_error *);
    } kinds[] = {
        {"log", read_log},
        {"witness", read_witness},
        {"group", read_group},
        {"quorum", read_quorum},
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (is_word(reader->words[0], kinds[i].word))
            return kinds[i].read(reader, err);
    }
    return dbk_fail(err, DBK_INVALID, "neither log, witness, group nor quorum");
}

static enum dbk_code read_lines(struct reader *reader, struct dbk_slice text,
                                struct line *line, struct dbk_error *err)
{
    struct dbk_slice raw;

    for (line->number = 1; lines_next(&text, &raw); line->number++) {
        if (!is_allowed(raw))
            return dbk_fail(err, DBK_INVALID, "a control character");
        if (!cut(raw, line))
            return dbk_fail(err, DBK_TOO_LARGE, "more words than a line may have");
        if (line->count == 0 || line->words[0].data[0] == '#')
            continue;
        reader->words = line->words;
        reader->count = line->count;
        if (read_line(reader, err) != DBK_OK)
            return err->code;
    }
    if (text.length > 0)
        return dbk_fail(err, DBK_INVALID, "it does not end with a line feed");
    if (!reader->quorum)
        return dbk_fail(err, DBK_INVALID, "no quorum was given");
    return DBK_OK;
}

enum dbk_code dbk_policy_parse(struct dbk_slice text, struct dbk_policy **policy,
                               struct dbk_error *err)
{
    struct reader reader = {.policy = calloc(1, sizeof **policy)};
    struct line *line = malloc(sizeof *line);
    struct dbk_error why = {.code = DBK_NO_MEMORY, .text = "no memory for a policy"};
    enum dbk_code code = DBK_NO_MEMORY;

    if (reader.policy && line)
        code = read_lines(&reader, text, line, &why);
    if (code != DBK_OK && code != DBK_NO_MEMORY)
        dbk_fail(&why, code, "line %zu: %.300s", line->number, why.text);
    free(line);
    *policy = reader.policy;
    if (code == DBK_OK)
        return DBK_OK;
    dbk_policy_destroy(reader.policy);
    *policy = NULL;
    return dbk_fail(err, code, "%s", why.text);
}

void dbk_policy_destroy(struct dbk_policy *policy)
{
    free(policy);
}

bool dbk_policy_met(const struct dbk_policy *policy, uint64_t witnesses)
{
    uint64_t groups = 0;

    for (size_t i = 0; i < policy->group_count; i++) { /* members come before */
        const struct dbk_policy_group *group = &policy->groups[i];
        unsigned met = (unsigned)__builtin_popcountll(group->witnesses & witnesses) +
                       (unsigned)__builtin_popcountll(group->groups & groups);

        if (met >= group->needed)
            groups |= UINT64_C(1) << i;
    }
    return (policy->quorum_witness & ~witnesses) == 0 &&
           (policy->quorum_group & ~groups) == 0;
}

/* By which log's key. */
static enum dbk_code check_log(const struct dbk_policy *policy,
                               const struct dbk_vkey *log, const struct dbk_note *note,
                               const struct dbk_log_checkpoint *checkpoint,
                               struct dbk_error *err)
{
    enum dbk_code code = DBK_CONFLICT;

    dbk_fail(err, code, "a checkpoint of %s, which the policy does not name",
             checkpoint->origin);
    for (size_t i = 0; i < policy->log_count; i++) {
        if (strcmp(policy->logs[i].vkey.name, checkpoint->origin) != 0)
            continue;
        code = dbk_note_verify(note, &policy->logs[i].vkey, NULL, err);
        if (code != DBK_NOT_FOUND)
            return code;
    }
    if (policy->log_count > 0 || !log || strcmp(log->name, checkpoint->origin) != 0)
        return code;
    return dbk_note_verify(note, log, NULL, err);
}

static enum dbk_code find_witnesses(const struct dbk_policy *policy,
                                    const struct dbk_note *note, uint64_t *witnesses,
                                    struct dbk_error *err)
{
    *witnesses = 0;
    for (size_t i = 0; i < policy->witness_count; i++) {
        enum dbk_code code =
            dbk_note_verify(note, &policy->witnesses[i].vkey, NULL, err);

        if (code == DBK_OK)
            *witnesses |= UINT64_C(1) << i;
        else if (code != DBK_NOT_FOUND)
            return code;
    }
    if (dbk_policy_met(policy, *witnesses))
        return DBK_OK;
    return dbk_fail(err, DBK_NOT_FOUND,
                    "%d of the policy's %zu witnesses have signed it: too few",
                    __builtin_popcountll(*witnesses), policy->witness_count);
}

static enum dbk_code open_note(const struct dbk_policy *policy,
                               const struct dbk_vkey *log, struct dbk_slice bytes,
                               struct dbk_note *note,
                               struct dbk_log_checkpoint *checkpoint,
                               uint64_t *witnesses, struct dbk_error *err)
{
    if (dbk_note_parse(bytes, note, err) != DBK_OK ||
        dbk_log_checkpoint_parse(note->text, checkpoint, err) != DBK_OK ||
        check_log(policy, log, note, checkpoint, err) != DBK_OK)
        return err->code;
    return find_witnesses(policy, note, witnesses, err);
}

enum dbk_code dbk_policy_open(const struct dbk_policy *policy,
                              const struct dbk_vkey *log, struct dbk_slice bytes,
                              struct dbk_log_checkpoint *checkpoint,
                              uint64_t *witnesses, struct dbk_error *err)
{
    struct dbk_note *note = malloc(sizeof *note);
    struct dbk_error why;
    uint64_t signed_by = 0;
    enum dbk_code code;

    if (!note)
        return dbk_fail(err, DBK_NO_MEMORY, "no memory to read a checkpoint");
    code = open_note(policy, log, bytes, note, checkpoint, &signed_by, &why);
    free(note);
    if (witnesses)
        *witnesses = signed_by;
    return code == DBK_OK ? DBK_OK : dbk_fail(err, code, "%s", why.text);
}
