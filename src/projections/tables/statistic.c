#include "statistic.h"

#include "sql.h"

const struct statistic statistics[STATISTICS] = {
    {.name = "event_hour",
     .truncate = sql_load_truncate_event_hour,
     .count = sql_load_count_event_hour,
     .analyze = sql_load_analyze_event_hour,
     .unit = "hour",
     .told = "YYYY-MM-DD\"T\"HH24"},
    {.name = "event_day",
     .truncate = sql_load_truncate_event_day,
     .count = sql_load_count_event_day,
     .analyze = sql_load_analyze_event_day,
     .unit = "day",
     .told = "YYYY-MM-DD"},
};
