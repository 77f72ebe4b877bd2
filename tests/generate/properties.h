/* properties.h - the JSON that events carry. */
#ifndef GENERATE_PROPERTIES_H
#define GENERATE_PROPERTIES_H

#include "random.h"

#include <stddef.h>

#define PROPERTIES_TEXT 4096

/* Write the text of an object, or nothing for an event without properties; returns its
 * length. From 12 bytes to some 2,000; a few with line breaks, as people send them. */
size_t properties_write(struct random *random, char out[PROPERTIES_TEXT]);

#endif
