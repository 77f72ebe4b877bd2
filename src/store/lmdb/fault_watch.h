/* fault_watch.h - which logs are open, for store/fault.h. Private to the store. */
#ifndef DBK_STORE_FAULT_WATCH_H
#define DBK_STORE_FAULT_WATCH_H

#include <lmdb.h>

/* env has just been opened on the log in directory dir: what goes wrong in its map from
 * now on is explained. Forget it before it is closed; NULL is fine. Nothing, where nobody
 * wants explanations. */
void fault_watch(MDB_env *env, const char *dir);
void fault_forget(MDB_env *env);

/* This thread begins to read or change the log that env is, and has done so: in between,
 * whatever it faults at is taken for the log's doing. LMDB goes astray outside of its map
 * too, where it takes an entry for what it is not. */
void fault_enter(const MDB_env *env);
void fault_leave(void);

/* In a child process whose parent explains its death: die by the signal. */
void fault_leave_alone(void);

#endif
