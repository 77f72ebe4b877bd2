/* export_read_frames.h - the msgpack form of an export, read back. Private to
 * export_reader.c. */
#ifndef DBK_TOOLS_EXPORT_READ_FRAMES_H
#define DBK_TOOLS_EXPORT_READ_FRAMES_H

#include "compress.h"
#include "export_check.h"
#include "store/record.h"

/* Zero it but for source and check before first use. */
struct export_frames {
    struct compress_reader *source; /* owned */
    struct export_check *check;
    uint64_t offset; /* bytes read */
    char place[64];  /* where the frame at hand begins, for err */
    char frame[DBK_RECORD_MAX];
};

/* As export_reader_next. */
enum dbk_code export_read_frames(struct export_frames *frames, struct dbk_slice *bytes,
                                 struct dbk_error *err);

#endif
