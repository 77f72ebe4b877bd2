#include "load_scan.h"

#include "store/watch.h"

struct scan {
    const struct load_source *source;
    const char *phase;
    load_visit *visit;
    void *context;
};

static enum dbk_code visit(void *context, const struct dbk_record *record,
                           struct dbk_error *err)
{
    const struct scan *scan = context;

    return scan->visit(scan->context, record, err);
}

static enum dbk_code tell(void *context, uint64_t at, struct dbk_error *err)
{
    const struct scan *scan = context;

    return dbk_watch_progress(scan->source->watch, scan->phase, "records", at,
                              scan->source->to, err);
}

enum dbk_code load_scan(const struct load_source *source, const char *phase,
                        load_visit *each, void *context, struct dbk_error *err)
{
    struct scan scan = {source, phase, each, context};
    const struct dbk_log_visitor visitor = {
        .record = visit, .before = tell, .context = &scan};

    return dbk_log_each(source->log, 0, source->to, &visitor, err);
}
