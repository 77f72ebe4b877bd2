/* export_select.h - which records an export takes. */
#ifndef DBK_TOOLS_EXPORT_SELECT_H
#define DBK_TOOLS_EXPORT_SELECT_H

#include "command.h"
#include "export_format.h"
#include "position.h"
#include "store/history.h"
#include "store/log.h"

struct export_select {
    uint64_t from, to;  /* sequences, both included; to may be UINT64_MAX */
    enum dbk_type type; /* 0: any */
    bool has_person;    /* only this person's records, and those of its events */
    struct dbk_uuid person;
    struct dbk_person_records records; /* of that person, once it is resolved */
    bool whole;                        /* it leaves nothing out */
    struct position_range range;       /* as it was asked for */
};

/* Read --from, --to, --type and --person: what can be known without the log.
 * DBK_INVALID: err says what is expected. */
enum dbk_code export_select_read(const struct tool *tool, struct export_select *select,
                                 struct dbk_error *err);

/* Find out from and to of the log, as position_range_find does; with follow nothing
 * bounds to but --to. DBK_NOT_FOUND: no record is about the person. To be ended with
 * export_select_finish. */
enum dbk_code export_select_resolve(struct dbk_log *log, bool follow,
                                    struct export_select *select,
                                    struct dbk_error *err);

void export_select_finish(struct export_select *select); /* one not resolved is fine */

/* What the trailer says of it, once resolved; as of now. */
struct export_source export_select_source(const struct export_select *select,
                                          struct dbk_log *log);

/* Whether it takes a record between from and to. */
bool export_selects(const struct export_select *select,
                    const struct dbk_record *record);

#endif
