/* statistics_params.h - the parameters of the statistics. Each of these adds what is wrong
 * to fields, and then leaves *out at its default. */
#ifndef DBK_HTTP_STATISTICS_PARAMS_H
#define DBK_HTTP_STATISTICS_PARAMS_H

#include "params.h"
#include "projections/statistics.h"
#include "type_list.h"

/* since= and until=, times or days of the zone (statistics_params_zone; NULL: UTC), of which
 * until is not the earlier one. Of a day in another zone than UTC and a time that is not
 * known here: then nothing lies between. */
void statistics_params_range(const struct params *params, const char *zone,
                             struct dbk_range *out, struct dbk_field_errors *fields);

/* by=: hour (where that is one), day, week or month. */
void statistics_params_by(const struct params *params, bool hours, enum dbk_bucket *out,
                          struct dbk_field_errors *fields);

#define ZONE_MAX 64
/* tz=: what can be the IANA name of a time zone; whether there is one knows PostgreSQL. Not
 * what it would take for one, too: abbreviations, which it knows without the summer, and
 * POSIX's rules, whose signs are the other way round. Default: UTC. */
void statistics_params_zone(const struct params *params, char out[ZONE_MAX + 1],
                            struct dbk_field_errors *fields);

#define WITHIN_DAYS_MAX 3660
/* within=: a number and s, m, h, d or w. In microseconds; default: 7 days. */
void statistics_params_within(const struct params *params, int64_t *out,
                              struct dbk_field_errors *fields);

/* A list of types (type_list.h); from least to most of them. least 0: it may be absent. */
void statistics_params_types(const struct params *params, const char *name,
                             size_t least, size_t most, struct type_list *out,
                             struct dbk_field_errors *fields);

/* One type, which must be there. */
void statistics_params_type(const struct params *params, const char *name,
                            struct dbk_slice *out, struct dbk_field_errors *fields);

#endif
