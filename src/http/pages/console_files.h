/* console_files.h - what GET /console shows: where the build found what it is made with,
 * the console (console_built.c), else a sentence that says how to have it
 * (console_plain.c). */
#ifndef DBK_HTTP_CONSOLE_FILES_H
#define DBK_HTTP_CONSOLE_FILES_H

#include "page_answer.h"

extern const struct page_file console_page;    /* GET /console; has no name */
extern const struct page_file console_files[]; /* GET /console/{file} */

#endif
