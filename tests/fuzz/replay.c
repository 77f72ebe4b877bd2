/* replay.c - drives a fuzz target without libFuzzer: each file of the corpus as it is,
 * then a number of mutations of each, the same in every run with the same seed.
 *
 *   replay [--seed N] ROUNDS FILE...
 *
 * The input that the target dies of is kept in the working directory.
 */
#include "fuzz.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define INPUT_MAX 8192
#define CHANGES_MAX 6

/* As ASan, UBSan and TSan have it; NULL where there is none of them. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

struct input {
    uint8_t bytes[INPUT_MAX];
    size_t size;
};

struct corpus {
    struct input *inputs;
    size_t count;
};

/* For the handler of a death alone: what is being tried, and where to keep it. */
static struct {
    const struct input *input;
    char path[64];
} tried;

static void keep_input(void)
{
    static const char said[] = "\nreplay: the input is kept in ";
    int fd = open(tried.path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (!tried.input || fd < 0 ||
        write(fd, tried.input->bytes, tried.input->size) < 0 ||
        write(STDERR_FILENO, said, sizeof said - 1) < 0 ||
        write(STDERR_FILENO, tried.path, strlen(tried.path)) < 0 ||
        write(STDERR_FILENO, "\n", 1) < 0)
        return;
    close(fd);
}

static void on_abort(int number)
{
    keep_input();
    signal(number, SIG_DFL);
    raise(number);
}

static void watch_for_death(const char *program)
{
    const char *slash = strrchr(program, '/');

    snprintf(tried.path, sizeof tried.path, "finding-%.40s",
             slash ? slash + 1 : program);
    signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(keep_input);
}

static void try_input(const struct input *input)
{
    tried.input = input;
    LLVMFuzzerTestOneInput(input->bytes, input->size);
}

/* xorshift64. Source: G. Marsaglia, "Xorshift RNGs", 2003. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t random_below(uint64_t *state, size_t bound)
{
    return (size_t)(next_random(state) % bound);
}

static void insert_bytes(struct input *input, size_t at, const void *bytes,
                         size_t count)
{
    if (input->size + count > sizeof input->bytes)
        return;
    memmove(input->bytes + at + count, input->bytes + at, input->size - at);
    memcpy(input->bytes + at, bytes, count);
    input->size += count;
}

static void remove_bytes(struct input *input, size_t at, size_t count)
{
    if (count > input->size - at)
        count = input->size - at;
    memmove(input->bytes + at, input->bytes + at + count, input->size - at - count);
    input->size -= count;
}

/* What parsers of text stumble over. */
static void insert_token(struct input *input, size_t at, uint64_t *state)
{
    static const char *const tokens[] = {
        "{",     "}",        "[",        "]",
        ",",     ":",        "\"",       "\\",
        "\\u",   "\\ud83d",  "\\ude00",  "1e9",
        "-",     "0",        "null",     "true",
        "\xFF",  "\xE2\x82", "\n",       " ",
        "\r",    "\t",       "=",        "#",
        "'",     "$",        "%",        "%00",
        "&",     "/",        "[[[[[[[",  "\"id\":1,",
        "e308",  "\\u0000",  "{\"a\":",  "999999999999999999999",
        "\x1b[", "\x7f",     "\xC2\x9B", "\xE2\x80\xA8",
    };
    const char *token = tokens[random_below(state, sizeof tokens / sizeof *tokens)];

    insert_bytes(input, at, token, strlen(token));
}

/* A piece of any input of the corpus, so that the words of its language get mixed. */
static void insert_piece(struct input *input, size_t at, const struct corpus *corpus,
                         uint64_t *state)
{
    const struct input *other = &corpus->inputs[random_below(state, corpus->count)];
    size_t from = random_below(state, other->size + 1);
    size_t count = 1 + random_below(state, 32);

    if (count > other->size - from)
        count = other->size - from;
    insert_bytes(input, at, other->bytes + from, count);
}

/* One small change, of the kinds that break parsers. */
static void mutate(struct input *input, const struct corpus *corpus, uint64_t *state)
{
    size_t at = random_below(state, input->size + 1);

    switch (random_below(state, 6)) {
    case 0:
        if (at < input->size)
            input->bytes[at] = (uint8_t)next_random(state);
        break;
    case 1:
        if (at < input->size)
            input->bytes[at] ^= (uint8_t)(1U << random_below(state, 8));
        break;
    case 2:
        remove_bytes(input, at, 1 + random_below(state, 8));
        break;
    case 3:
        insert_piece(input, at, corpus, state);
        break;
    default:
        insert_token(input, at, state);
        break;
    }
}

static bool read_input(const char *path, struct input *input)
{
    FILE *file = fopen(path, "rb");

    if (!file) {
        perror(path);
        return false;
    }
    input->size = fread(input->bytes, 1, sizeof input->bytes, file);
    fclose(file);
    return true;
}

static void replay(const struct corpus *corpus, unsigned long rounds, uint64_t state)
{
    struct input input;

    for (size_t i = 0; i < corpus->count; i++)
        try_input(&corpus->inputs[i]);
    for (size_t i = 0; i < corpus->count; i++) {
        for (unsigned long round = 0; round < rounds; round++) {
            input = corpus->inputs[i];
            for (size_t n = 1 + random_below(&state, CHANGES_MAX); n > 0; n--)
                mutate(&input, corpus, &state);
            try_input(&input);
        }
    }
}

int main(int argc, char **argv)
{
    bool seeded = argc > 2 && strcmp(argv[1], "--seed") == 0;
    uint64_t seed = seeded ? strtoull(argv[2], NULL, 10) : 1;
    int first = seeded ? 3 : 1;
    struct corpus corpus = {0};
    unsigned long rounds;

    if (argc < first + 2) {
        fprintf(stderr, "usage: replay [--seed N] ROUNDS FILE...\n");
        return 2;
    }
    rounds = strtoul(argv[first], NULL, 10);
    corpus.inputs = calloc((size_t)(argc - first - 1), sizeof *corpus.inputs);
    require(corpus.inputs != NULL);
    for (int i = first + 1; i < argc; i++) {
        if (!read_input(argv[i], &corpus.inputs[corpus.count++]))
            return 3;
    }
    watch_for_death(argv[0]);
    /* The state must not be 0. */
    replay(&corpus, rounds, seed ^ UINT64_C(0x9E3779B97F4A7C15));
    printf("%zu files, %lu mutations of each, seed %" PRIu64 "\n", corpus.count, rounds,
           seed);
    free(corpus.inputs);
    return 0;
}
