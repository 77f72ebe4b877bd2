/* docs.h - what GET /docs shows: where the build found it, the viewer of OpenAPI
 * documents that make viewer brings (docs_viewer.c), else the routes (docs_plain.c). */
#ifndef DBK_HTTP_DOCS_H
#define DBK_HTTP_DOCS_H

#include "page_answer.h"

extern const struct page_file docs_page;    /* GET /docs; has no name */
extern const struct page_file docs_files[]; /* GET /docs/{file} */

#endif
