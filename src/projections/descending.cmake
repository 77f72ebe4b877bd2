# dbk_descending(FILE OUT): the statement of a list, in falling order.
#
# What tells the order is turned round, and all else stays: where the cursor (a bigint: a parameter,
# or a column `behind`) is compared,
# `and COLUMN <=` beside it, and each `order by` of one column, or of one and the sequence.
# A statement is written so that no more is needed; what an index must give in either order,
# test_read_plans.c asks PostgreSQL.
function(dbk_descending file out)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    file(READ ${file} rising)
    string(REGEX REPLACE " > ([^\n]*([$][0-9]+|behind)::bigint)" " < \\1" falling "${rising}")
    if(falling STREQUAL rising)
        message(FATAL_ERROR "${file}: where its cursor is compared is not to be seen")
    endif()
    string(REGEX REPLACE "and ([a-z_]+) <= " "and \\1 >= " falling "${falling}")
    string(REGEX REPLACE "order by ([a-z_]+), sequence" "order by \\1 desc, sequence desc"
        falling "${falling}")
    string(REGEX REPLACE "order by ([a-z_.0-9]+)([\n;])" "order by \\1 desc\\2" falling
        "${falling}")
    string(REPLACE " behind this sequence" " before this sequence" falling "${falling}")
    file(CONFIGURE OUTPUT ${out} CONTENT "-- Made of ${file}.\n@falling@" @ONLY)
endfunction()
