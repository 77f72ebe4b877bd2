/* fault.h - a damaged log ends its reader with a sentence, not with a signal.
 *
 * LMDB trusts what its pages say. Where they are damaged, or the file is cut while it is
 * open, it fails an assertion, reads past the file's end, or follows a pointer that is
 * none, in whatever thread comes there.
 * No call can return from that; but nothing is half done by it either: what was
 * acknowledged is on disk, as after any kill.
 *
 * For a program's main, since signal handlers are the whole process's.
 */
#ifndef DBK_STORE_FAULT_H
#define DBK_STORE_FAULT_H

/* From now on, such an end is one line on stderr, which names the file and what to do, and
 * exit status 1. Faults where no log is mapped, of a thread that is not just reading or
 * changing one, are left to whatever handled them before: a bug of ours dumps core, and a
 * sanitizer reports it. An assertion of ours that fails while one is read is told, too: in
 * the line before that one, which may then be wrong about the file. */
void dbk_fault_explain(void);

#endif
