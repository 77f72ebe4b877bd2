/* What daybook audit verify found, as text and as JSON. */
#include "audit_verify.h"
#include "escape.h"

#include <inttypes.h>
#include <stdio.h>

static void print_checkpoint(const struct audit_found *found,
                             const struct audit_verified *one)
{
    const struct dbk_log_checkpoint *is = &one->checkpoint.is;

    printf("%s: ", one->checkpoint.path);
    if (one->holds)
        printf("right: the first %" PRIu64 " records are those that %s signed",
               is->size, is->origin);
    else if (one->named > 0)
        printf("%s: record %" PRIu64 " names it as that of the log that this one was "
               "made of (log.resealed)%s",
               one->vouched ? "right" : "WRONG", one->named,
               one->vouched
                   ? "; what its records were that log alone shows"
                   : ", which nothing signed vouches for: give a checkpoint of "
                     "this log, too");
    else if (one->reached)
        printf("WRONG: the first %" PRIu64
               " records are not those that %s signed: it is "
               "in records %" PRIu64 " to %" PRIu64,
               is->size, is->origin, one->proven + 1, is->size);
    else
        printf("WRONG: %s signed %" PRIu64 " records, and there are %" PRIu64,
               is->origin, is->size, found->records);
    if (one->checkpoint.witnesses)
        printf("; %d witnesses saw it",
               __builtin_popcountll(one->checkpoint.witnesses));
    putchar('\n');
}

static void print_ranges(const struct audit_ranges *ranges, const char *what)
{
    for (size_t i = 0; i < ranges->count; i++) {
        const struct audit_range *range = &ranges->list[i];

        if (range->first == range->last)
            printf("record %" PRIu64 ": %s\n", range->first, what);
        else
            printf("records %" PRIu64 " to %" PRIu64 ": %s\n", range->first,
                   range->last, what);
    }
    if (ranges->more > 0)
        printf("and %zu more places\n", ranges->more);
}

void audit_report_print(const struct audit_report *report)
{
    const struct audit_found *found = report->found;
    char text[DBK_HASH_TEXT + 1];

    for (size_t i = 0; i < report->refused_count; i++)
        printf("%s: WRONG, not to be believed\n", report->refused[i].why.text);
    for (size_t i = 0; i < report->count; i++)
        print_checkpoint(found, &report->verified[i]);
    if (*found->broken.text)
        printf("%s\n", found->broken.text);
    print_ranges(&found->changed, "not as in the older copy");
    print_ranges(&found->hashed, "at least one is not what it was when it was hashed "
                                 "(audit/tree)");
    if (found->resealed > 0)
        printf("record %" PRIu64 ": the %" PRIu64
               " records before were another log's (log.resealed)\n",
               found->resealed, found->resealed_of);
    dbk_hash_format(&found->root, text);
    printf("records %" PRIu64 ", root %s\n", found->records, text);
}

static void name_text(const char *name, const char *text)
{
    printf(",\"%s\":", name);
    escape_string(stdout, text);
}

static void name_checkpoint(const struct audit_verified *one)
{
    const struct dbk_log_checkpoint *is = &one->checkpoint.is;

    fputs("{\"path\":", stdout);
    escape_string(stdout, one->checkpoint.path);
    name_text("origin", is->origin);
    printf(",\"records\":%" PRIu64 ",\"holds\":%s,\"wrong_from\":", is->size,
           one->holds ? "true" : "false");
    if (one->holds || one->named > 0)
        fputs("null", stdout);
    else
        printf("%" PRIu64, one->proven + 1);
    printf(",\"named\":%" PRIu64 ",\"vouched\":%s", one->named,
           one->vouched ? "true" : "false");
    printf(",\"witnesses\":%d}", __builtin_popcountll(one->checkpoint.witnesses));
}

static void name_ranges(const char *name, const struct audit_ranges *ranges)
{
    printf(",\"%s\":[", name);
    for (size_t i = 0; i < ranges->count; i++)
        printf("%s{\"first\":%" PRIu64 ",\"last\":%" PRIu64 "}", i ? "," : "",
               ranges->list[i].first, ranges->list[i].last);
    printf("],\"%s_more\":%zu", name, ranges->more);
}

void audit_report_print_json(const struct audit_report *report)
{
    const struct audit_found *found = report->found;
    char text[DBK_HASH_TEXT + 1];

    dbk_hash_format(&found->root, text);
    printf("{\"right\":%s,\"records\":%" PRIu64 ",\"root\":\"%s\",\"checkpoints\":[",
           found->right && report->refused_count == 0 ? "true" : "false",
           found->records, text);
    for (size_t i = 0; i < report->count; i++) {
        fputs(i ? "," : "", stdout);
        name_checkpoint(&report->verified[i]);
    }
    fputs("],\"refused\":[", stdout);
    for (size_t i = 0; i < report->refused_count; i++) {
        fputs(i ? ",{\"path\":" : "{\"path\":", stdout);
        escape_string(stdout, report->refused[i].path);
        name_text("why", report->refused[i].why.text);
        putchar('}');
    }
    putchar(']');
    name_ranges("changed", &found->changed);
    name_ranges("hashed", &found->hashed);
    printf(",\"resealed\":%" PRIu64, found->resealed);
    fputs(",\"broken\":", stdout);
    if (*found->broken.text)
        escape_string(stdout, found->broken.text);
    else
        fputs("null", stdout);
    puts("}");
}
