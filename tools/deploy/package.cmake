# What is installed where, and the Debian package of it (make deb).
include(GNUInstallDirs)

# The manual page is what `daybook help` says.
find_program(GZIP gzip REQUIRED)
set(manual ${CMAKE_BINARY_DIR}/daybook.1.gz)
add_custom_command(OUTPUT ${manual}
    COMMAND ${CMAKE_CURRENT_LIST_DIR}/manual $<TARGET_FILE:daybook>
        > ${CMAKE_BINARY_DIR}/daybook.1
    COMMAND ${GZIP} -9nf ${CMAKE_BINARY_DIR}/daybook.1
    DEPENDS daybook ${CMAKE_CURRENT_LIST_DIR}/manual VERBATIM)
add_custom_target(manual DEPENDS ${manual})

install(TARGETS daybook RUNTIME)
install(FILES ${manual} DESTINATION share/man/man1)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/daybook.service
    ${CMAKE_CURRENT_LIST_DIR}/daybook-cosign.service DESTINATION lib/systemd/system)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/daybook.env DESTINATION /etc/daybook
    PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
install(FILES README.md ARCHITECTURE.md SECURITY.md
    ${CMAKE_CURRENT_LIST_DIR}/debian/copyright
    ${CMAKE_CURRENT_LIST_DIR}/nginx.conf.example
    ${CMAKE_CURRENT_LIST_DIR}/nginx-cluster.conf.example
    ${CMAKE_CURRENT_LIST_DIR}/haproxy-cluster.cfg.example DESTINATION share/doc/daybook)
install(DIRECTORY docs DESTINATION share/doc/daybook)
install(DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/prometheus
    DESTINATION share/doc/daybook/tools/deploy)
# What these link to, where they look for it.
foreach(linked LICENSE include/store/record.h tools/export/export_format.h
        tools/deploy/nginx.conf.example tools/deploy/nginx-cluster.conf.example
        tools/deploy/haproxy-cluster.cfg.example examples/node/records.mjs
        examples/python/records.py examples/postgres/records.sql)
    get_filename_component(below ${linked} DIRECTORY)
    install(FILES ${linked} DESTINATION share/doc/daybook/${below})
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGE_CONTACT "The Daybook authors <daybook@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "append-only log of persons and events, with a REST API")
set(CPACK_PACKAGE_DESCRIPTION
    "Daybook keeps what the users of a product do. Every change is one immutable\nrecord in a log; PostgreSQL tables for reading are posted from it.")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser")
# Recommended, postgresql would bring what it recommends itself: by sysstat and cron a mail
# server, and a cluster of its own on port 5432. postinst tells how to have its programs alone.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS "postgresql, nginx")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA
    ${CMAKE_CURRENT_LIST_DIR}/debian/conffiles
    ${CMAKE_CURRENT_LIST_DIR}/debian/postinst
    ${CMAKE_CURRENT_LIST_DIR}/debian/prerm
    ${CMAKE_CURRENT_LIST_DIR}/debian/postrm)
include(CPack)
