#include "statistic.h"

#include "sql.h"

const struct statistic statistics[STATISTICS] = {
    {.name = "event_hour",
     .truncate = sql_load_truncate_event_hour,
     .count = sql_load_count_event_hour,
     .analyze = sql_load_analyze_event_hour,
     .compare = sql_compare_event_hour},
};
