/* media_type.h - what a Content-Type header says the body is. */
#ifndef DBK_HTTP_MEDIA_TYPE_H
#define DBK_HTTP_MEDIA_TYPE_H

enum media_type { MEDIA_OTHER, MEDIA_JSON, MEDIA_MERGE_PATCH, MEDIA_NDJSON };

/* header may be NULL. MEDIA_OTHER too where its charset is not UTF-8. */
enum media_type media_type_parse(const char *header);

#endif
