#include "checksum.h"

#include <zlib.h>

#if defined(__x86_64__)
#include <immintrin.h>

/* Source of the method and its constants: V. Gopal et al., "Fast CRC Computation for
 * Generic Polynomials Using PCLMULQDQ Instruction", Intel, 2009, for the reflected
 * polynomial 0xEDB88320. Each constant is a power of x modulo it: multiplying 16 bytes
 * by it moves them so far along the message, where they can be added to what is there. */
#define ALONG_64 _mm_set_epi64x(0x1c6e41596, 0x154442bd4)
#define ALONG_16 _mm_set_epi64x(0x0ccaa009e, 0x1751997d0)
#define ALONG_4 _mm_set_epi64x(0, 0x163cd6124)
#define BARRETT _mm_set_epi64x(0x1f7011641, 0x1db710641) /* quotient, polynomial */

#define FOLDS __attribute__((target("pclmul,sse4.1")))
#define LEAST 64 /* bytes that folding begins with */

FOLDS static __m128i load(const char *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

/* Move sum along by a constant, and add what is there. */
FOLDS static __m128i fold(__m128i sum, __m128i along, __m128i there)
{
    __m128i low = _mm_clmulepi64_si128(sum, along, 0x00);
    __m128i high = _mm_clmulepi64_si128(sum, along, 0x11);

    return _mm_xor_si128(_mm_xor_si128(low, high), there);
}

/* What 16 bytes leave when divided by the polynomial. */
FOLDS static uint32_t reduce(__m128i sum)
{
    const __m128i words = _mm_set_epi32(0, -1, 0, -1);
    __m128i part = _mm_clmulepi64_si128(sum, ALONG_16, 0x10);

    sum = _mm_xor_si128(_mm_srli_si128(sum, 8), part); /* 96 bits */
    part = _mm_srli_si128(sum, 4);
    sum = _mm_clmulepi64_si128(_mm_and_si128(sum, words), ALONG_4, 0x00);
    sum = _mm_xor_si128(sum, part); /* 64 bits */
    part = _mm_clmulepi64_si128(_mm_and_si128(sum, words), BARRETT, 0x10);
    part = _mm_clmulepi64_si128(_mm_and_si128(part, words), BARRETT, 0x00);
    return (uint32_t)_mm_extract_epi32(_mm_xor_si128(sum, part), 1);
}

/* Bytes that a shuffle takes from places beside the 16 become zero. */
FOLDS static __m128i move(__m128i bytes, size_t from)
{
    static const char places[48] = {
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15,
        -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
    };

    return _mm_shuffle_epi8(bytes, load(places + from));
}

/* As zlib's crc32 gives it, of at least LEAST bytes. Zeros in front of a message do not
 * change what it leaves, so as many are put there as make it whole pieces of 16; but
 * CRC-32 begins with ones in its first four bytes. */
FOLDS static uint32_t sum_all(const char *bytes, size_t length)
{
    const __m128i ones = _mm_cvtsi32_si128(-1);
    size_t zeros = -length % 16, end = length + zeros, at = LEAST;
    __m128i sums[4];

    sums[0] = move(_mm_xor_si128(load(bytes), ones), 16 - zeros);
    sums[1] = _mm_xor_si128(load(bytes + (16 - zeros)), move(ones, 32 - zeros));
    sums[2] = load(bytes + (32 - zeros));
    sums[3] = load(bytes + (48 - zeros));
    for (; at + 64 <= end; at += 64) {
        for (size_t i = 0; i < 4; i++)
            sums[i] = fold(sums[i], ALONG_64, load(bytes + (at + 16 * i - zeros)));
    }
    for (size_t i = 1; i < 4; i++)
        sums[i] = fold(sums[i - 1], ALONG_16, sums[i]);
    for (; at < end; at += 16)
        sums[3] = fold(sums[3], ALONG_16, load(bytes + (at - zeros)));
    return ~reduce(sums[3]);
}

uint32_t dbk_checksum(const char *bytes, size_t length)
{
    if (length < LEAST || !__builtin_cpu_supports("pclmul") ||
        !__builtin_cpu_supports("sse4.1"))
        return (uint32_t)crc32_z(0, (const unsigned char *)bytes, length);
    return sum_all(bytes, length);
}

#else

uint32_t dbk_checksum(const char *bytes, size_t length)
{
    return (uint32_t)crc32_z(0, (const unsigned char *)bytes, length);
}

#endif
