/* checksum.h - CRC-32 as in ISO 3309 and zlib, for every record that is read or written.
 *
 * The same number as zlib's crc32(0, ...), some five times as fast where the processor
 * multiplies without carries. Private to the store. Thread-safe.
 */
#ifndef DBK_CHECKSUM_H
#define DBK_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

uint32_t dbk_checksum(const char *bytes, size_t length);

#endif
