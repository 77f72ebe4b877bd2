#include "log_place.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <linux/magic.h>

/* Its f_type is signed on some systems, and the magic numbers use all 32 bits. */
static void network_file_systems_are_known(void **state)
{
    (void)state;
    assert_string_equal(log_place_network(NFS_SUPER_MAGIC), "NFS");
    assert_string_equal(log_place_network(V9FS_MAGIC), "9p");
    assert_string_equal(log_place_network((long)(int32_t)0xFF534D42), "CIFS");
    assert_string_equal(log_place_network(0xFE534D42L), "SMB2");
    assert_null(log_place_network(EXT4_SUPER_MAGIC));
    assert_null(log_place_network(TMPFS_MAGIC));
    assert_null(log_place_network(OVERLAYFS_SUPER_MAGIC));
    assert_null(log_place_network(0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(network_file_systems_are_known)};

    return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
