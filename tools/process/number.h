/* number.h - a process number (pid) that no other process has which has the log open.
 *
 * LMDB tells the readers of a log apart by their numbers, whose locks they hold in
 * lock.mdb. Processes of two containers may have the same one: each is 1, unless they
 * share a pid namespace. The second could not open the log.
 */
#ifndef DBK_TOOLS_NUMBER_H
#define DBK_TOOLS_NUMBER_H

/* Where another process that has the log in this directory open has our number, go on in a
 * child that has a free one; *child tells. The parent passes on signals, reaps what it is
 * given as number 1, and ends as the child does. Before there are threads, or signals are
 * held, or anything was printed. Where no child can be made, nothing is done: opening the
 * log tells why. */
void number_settle(const char *log_dir, int *child);

#endif
