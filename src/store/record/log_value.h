/* log_value.h - a value of the database `log`: the record's bytes, then their checksum.
 *
 * CRC-32 as in ISO 3309 and zlib, little-endian, four bytes; libdeflate computes it, since
 * it is some seven times as fast as zlib at a record's size. A record whose bytes were
 * changed on disk is known for damaged instead of being believed. Private to the store.
 */
#ifndef DBK_STORE_LOG_VALUE_H
#define DBK_STORE_LOG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_VALUE_CHECKSUM 4

/* Write record and checksum to out, which has length + LOG_VALUE_CHECKSUM bytes. */
void log_value_write(char *out, const char *record, size_t length);

/* Whether the value is whole; *length receives that of the record at its front. */
bool log_value_check(const char *value, size_t size, size_t *length);

/* The checksum in a value whose record has length bytes. */
uint32_t log_value_checksum(const char *value, size_t length);

#endif
