/* fuzz_shipment.c - whatever another member ships: it is applied whole or refused with a
 * reason, and what was applied compares as the same.
 *
 * The input is a byte, how many records there are, and the body. It is tried as it is, and once
 * more with the checksums of its records made right, so that what is behind them is met, too.
 */
#include "fuzz.h"
#include "log_value.h"
#include "store/replicated.h"

#include <endian.h>
#include <stdio.h>
#include <unistd.h>

static struct dbk_log *log_of_all;
static char dir[] = "/tmp/daybook-fuzz-XXXXXX";

static void remove_all(void)
{
    char path[64];

    dbk_log_close(log_of_all);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/lock.mdb", dir);
    unlink(path);
    rmdir(dir);
}

/* Nothing is ever committed to it. */
static struct dbk_log *empty_log(void)
{
    const struct dbk_log_options options = {.map_size = (size_t)1 << 28};
    const struct dbk_place place = {.epoch = -1, .reseed = -1};

    if (log_of_all)
        return log_of_all;
    require(mkdtemp(dir) != NULL);
    require(dbk_log_open(dir, &options, &log_of_all, NULL) == DBK_OK);
    require(dbk_log_put_place(log_of_all, &place, NULL) == DBK_OK);
    atexit(remove_all);
    return log_of_all;
}

static void apply(uint32_t count, const char *body, size_t length)
{
    struct dbk_slice bytes = {body, length};
    struct dbk_error err = {.code = DBK_OK};
    struct dbk_apply *transaction;
    struct dbk_place place;
    uint32_t checksum;
    uint64_t head;
    enum dbk_code code;

    require(dbk_log_apply_begin(empty_log(), &transaction, &place, &head, &checksum,
                                &err) == DBK_OK);
    code = dbk_apply_batch(transaction, 1, count, bytes, &head, &checksum, &err);
    if (code == DBK_OK) {
        require(head == count);
        require(dbk_apply_compare(transaction, 1, count, bytes, &err) == DBK_OK);
        require(dbk_apply_overlap(transaction, 1, count, bytes, &head, &checksum,
                                  &err) == DBK_OK);
        require(head == count);
    } else {
        require(code == DBK_DAMAGED || code == DBK_UNSUPPORTED);
        require_reason(&err);
    }
    dbk_apply_abort(transaction);
}

static void mend(uint32_t count, char *body, size_t length)
{
    for (uint32_t i = 0; i < count && length >= 4; i++) {
        uint32_t size;

        memcpy(&size, body, sizeof size);
        size = le32toh(size);
        body += 4;
        length -= 4;
        if (size > length)
            return;
        if (size >= LOG_VALUE_CHECKSUM) {
            char *record = copy_bytes(body, size - LOG_VALUE_CHECKSUM);

            log_value_write(body, record, size - LOG_VALUE_CHECKSUM);
            free(record);
        }
        body += size;
        length -= size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t count;
    char *body;

    if (size == 0 || size > 65536)
        return 0;
    count = data[0];
    body = copy_bytes(data + 1, size - 1);
    apply(count, body, size - 1);
    mend(count, body, size - 1);
    apply(count, body, size - 1);
    free(body);
    return 0;
}
