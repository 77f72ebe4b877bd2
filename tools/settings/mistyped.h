/* mistyped.h - names given as settings that are none, and look as if they were meant to be. */
#ifndef DBK_TOOLS_MISTYPED_H
#define DBK_TOOLS_MISTYPED_H

#include "dotenv.h"

#define MISTYPED_MAX 256

/* Of .env and the environment: READ_HOST for READ_HOSTS, DB_PASSWORD for DB_PASS. out receives
 * the first of them and what is meant, in a sentence, or "". No value is told. Not beside
 * setenv. */
void mistyped_find(const struct dotenv *dotenv, char out[MISTYPED_MAX]);

#endif
