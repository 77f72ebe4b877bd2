#include "table.h"

const struct table *const tables[TABLES] = {
    [TABLE_PERSON] = &table_person,
    [TABLE_EVENT] = &table_event,
};
