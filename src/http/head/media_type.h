/* media_type.h - what a Content-Type header says the body is. */
#ifndef DBK_HTTP_MEDIA_TYPE_H
#define DBK_HTTP_MEDIA_TYPE_H

enum media_type {
    MEDIA_OTHER,
    MEDIA_JSON,
    MEDIA_MERGE_PATCH,
    MEDIA_NDJSON,
    MEDIA_TEXT
};

/* What a PATCH may be, as Accept-Patch says it (RFC 5789). */
#define MEDIA_TYPES_PATCH "application/merge-patch+json, application/json"

/* header may be NULL. MEDIA_OTHER too where its charset is not UTF-8. */
enum media_type media_type_parse(const char *header);

#endif
