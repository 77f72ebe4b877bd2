/* replay.c - drives a fuzz target without libFuzzer: each file of the corpus as it is,
 * then a fixed number of mutations of each, the same in every run.
 *
 *   replay ROUNDS FILE...
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE_MAX_INPUT 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    uint8_t bytes[SIZE_MAX_INPUT];
    size_t size;
};

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

static void insert_bytes(struct input *input, size_t at, const char *bytes,
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

/* One small change, of the kinds that break parsers. */
static void mutate(struct input *input, uint64_t *state)
{
    static const char *const tokens[] = {"{",       "}",
                                         "[",       "]",
                                         ",",       ":",
                                         "\"",      "\\",
                                         "\\u",     "\\ud83d",
                                         "\\ude00", "1e9",
                                         "-",       "0",
                                         "null",    "true",
                                         "\xFF",    "\xE2\x82",
                                         "\n",      " ",
                                         "[[[[[[[", "\"id\":1,",
                                         "e308",    "\\u0000",
                                         "{\"a\":", "999999999999999999999"};
    size_t at = random_below(state, input->size + 1);

    switch (random_below(state, 4)) {
    case 0:
        if (at < input->size)
            input->bytes[at] = (uint8_t)next_random(state);
        break;
    case 1:
        remove_bytes(input, at, 1 + random_below(state, 8));
        break;
    default: {
        const char *token = tokens[random_below(state, sizeof tokens / sizeof *tokens)];
        insert_bytes(input, at, token, strlen(token));
        break;
    }
    }
}

static int read_input(const char *path, struct input *input)
{
    FILE *file = fopen(path, "rb");

    if (!file) {
        perror(path);
        return -1;
    }
    input->size = fread(input->bytes, 1, sizeof input->bytes, file);
    fclose(file);
    return 0;
}

int main(int argc, char **argv)
{
    unsigned long rounds = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    uint64_t state = 0x9E3779B97F4A7C15U;

    if (argc < 3) {
        fprintf(stderr, "usage: replay ROUNDS FILE...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        struct input original, input;
        if (read_input(argv[i], &original) != 0)
            return 3;
        LLVMFuzzerTestOneInput(original.bytes, original.size);
        for (unsigned long round = 0; round < rounds; round++) {
            input = original;
            for (size_t n = 1 + random_below(&state, 4); n > 0; n--)
                mutate(&input, &state);
            LLVMFuzzerTestOneInput(input.bytes, input.size);
        }
    }
    printf("%d files, %lu mutations of each\n", argc - 2, rounds);
    return 0;
}
