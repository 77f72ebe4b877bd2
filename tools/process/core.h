/* core.h - no file with this process's memory where it crashes. */
#ifndef DBK_TOOLS_CORE_H
#define DBK_TOOLS_CORE_H

/* Have the system write no core dump of this process, nor of what it starts, neither to a
 * file nor to a program that collects them: what it holds in memory outlives an erasure
 * there. A debugger that is attached goes on as ever. */
void core_forbid(void);

#endif
