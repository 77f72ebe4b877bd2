/* process.h - what the process takes, of Linux's /proc/self. */
#ifndef DBK_HTTP_PROCESS_H
#define DBK_HTTP_PROCESS_H

#include "store/render.h"

/* What cannot be found out is left out. */
void process_render(struct dbk_render *out);

#endif
