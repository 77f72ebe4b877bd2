#include "store/fault.h"

#include "scratch_log.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define TEST(name) cmocka_unit_test_setup_teardown(name, make, scratch_teardown)

static int make(void **state)
{
    struct scratch *s;
    char email[32];

    if (scratch_setup(state) != 0)
        return -1;
    s = *state;
    for (int i = 0; i < 200; i++) {
        snprintf(email, sizeof email, "p%d@x.mock", i);
        add_person(s, email);
    }
    dbk_log_close(s->log);
    s->log = NULL;
    return 0;
}

static int open_data(const struct scratch *s)
{
    char path[128];
    int fd;

    snprintf(path, sizeof path, "%s/data.mdb", s->dir);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    return fd;
}

/* What is done to a log, in a process of its own, and how that process ended. */
struct ending {
    int status;
    char said[1024];
};

static _Noreturn void be_child(void (*act)(struct scratch *s), struct scratch *s,
                               int fd)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    for (int number = 1; number < 32; number++) /* no sanitizer's */
        signal(number, SIG_DFL);
    dup2(fd, STDERR_FILENO);
    dbk_fault_explain();
    act(s);
    _exit(0);
}

static struct ending end_of(void (*act)(struct scratch *s), struct scratch *s)
{
    struct ending ending = {.said = ""};
    size_t used = 0;
    ssize_t got;
    int fds[2];
    pid_t child;

    assert_int_equal(pipe(fds), 0);
    child = fork();
    if (child == 0)
        be_child(act, s, fds[1]);
    close(fds[1]);
    while ((got = read(fds[0], ending.said + used, sizeof ending.said - 1 - used)) > 0)
        used += (size_t)got;
    close(fds[0]);
    assert_int_equal(waitpid(child, &ending.status, 0), child);
    return ending;
}

static void assert_explained(const struct ending *ending, const struct scratch *s)
{
    char wanted[128];
    const char *line_end = strchr(ending->said, '\n');

    snprintf(wanted, sizeof wanted, "daybook: %s/data.mdb: ", s->dir);
    if (!WIFEXITED(ending->status) || WEXITSTATUS(ending->status) != 1)
        fail_msg("ended with %d, saying %s", ending->status, ending->said);
    assert_memory_equal(ending->said, wanted, strlen(wanted));
    assert_non_null(strstr(ending->said, "run daybook verify"));
    assert_string_equal(line_end, "\n"); /* and no second one */
}

static void read_all(struct scratch *s)
{
    struct dbk_batch batch = {0};

    dbk_log_read(s->log, 0, 1000, SIZE_MAX, &batch, NULL);
    dbk_batch_finish(&batch);
}

static void read_after_cut(struct scratch *s)
{
    scratch_open(s);
    if (ftruncate(open_data(s), 8192) == 0)
        read_all(s);
}

static void a_file_cut_while_it_is_open_is_explained(void **state)
{
    struct ending ending = end_of(read_after_cut, *state);

    assert_explained(&ending, *state);
}

static void append_after_cut(struct scratch *s)
{
    scratch_open(s);
    if (ftruncate(open_data(s), 8192) == 0)
        add_person(s, "late@x.mock");
}

static void so_it_is_in_the_writers_thread(void **state)
{
    struct ending ending = end_of(append_after_cut, *state);

    assert_explained(&ending, *state);
}

static void open_and_read(struct scratch *s)
{
    struct dbk_log_options options = {.read_only = true, .map_size = (size_t)1 << 30};

    if (dbk_log_open(s->dir, &options, &s->log, NULL) == DBK_OK)
        read_all(s);
}

/* The place of an entry in a page of LMDB's, and its key where that is a sequence. */
static uint16_t entry_of(const uint8_t *page, size_t index)
{
    uint16_t at;

    memcpy(&at, page + 16 + 2 * index, sizeof at);
    return at;
}

static uint64_t sequence_of(const uint8_t *page)
{
    uint64_t sequence = 0;

    if (page[10] == 2 && page[entry_of(page, 0) + 6] == sizeof sequence)
        memcpy(&sequence, page + entry_of(page, 0) + 8, sizeof sequence);
    return sequence;
}

/* In each page of records, but for the first one, set the flags of the page, or of its first
 * entry. */
static void damage(const struct scratch *s, bool entry, uint16_t flags)
{
    int fd = open_data(s), pages = 0;
    struct stat st;
    uint8_t *file;

    assert_int_equal(fstat(fd, &st), 0);
    file = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    assert_true(file != MAP_FAILED);
    for (uint8_t *page = file + 2 * 4096; page < file + st.st_size; page += 4096) {
        if (sequence_of(page) < 2)
            continue;
        memcpy(page + (entry ? entry_of(page, 0) + 4 : 10), &flags, sizeof flags);
        pages++;
    }
    assert_true(pages > 1);
    munmap(file, (size_t)st.st_size);
    close(fd);
}

static void an_assertion_of_lmdb_is_explained(void **state)
{
    struct ending ending;

    damage(*state, false, 0x04); /* leaves that say they are something else */
    ending = end_of(open_and_read, *state);
    assert_explained(&ending, *state);
}

/* LMDB takes an entry for a list of its own, for which there is no cursor. */
static void a_fault_of_lmdb_outside_of_its_map_is_explained(void **state)
{
    struct ending ending;

    damage(*state, true, 0x04);
    ending = end_of(open_and_read, *state);
    assert_explained(&ending, *state);
}

static void fault_elsewhere(struct scratch *s)
{
    volatile char *nowhere =
        mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    scratch_open(s);
    read_all(s);
    *nowhere = 1;
}

static void abort_elsewhere(struct scratch *s)
{
    scratch_open(s);
    abort();
}

static void be_sent_one(struct scratch *s)
{
    scratch_open(s);
    kill(getpid(), SIGBUS);
}

static void any_other_fault_is_left_alone(void **state)
{
    static const struct {
        void (*act)(struct scratch *s);
        int number;
    } faults[] = {
        {fault_elsewhere, SIGSEGV}, {abort_elsewhere, SIGABRT}, {be_sent_one, SIGBUS}};

    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct ending ending = end_of(faults[i].act, *state);

        assert_true(WIFSIGNALED(ending.status));
        assert_int_equal(WTERMSIG(ending.status), faults[i].number);
        assert_string_equal(ending.said, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_cut_while_it_is_open_is_explained),
        TEST(so_it_is_in_the_writers_thread),
        TEST(an_assertion_of_lmdb_is_explained),
        TEST(a_fault_of_lmdb_outside_of_its_map_is_explained),
        TEST(any_other_fault_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
