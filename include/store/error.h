/* error.h - one failure: what kind it is, and a sentence for whoever must act on it.
 *
 * The error lives on the caller's stack. A function that can fail returns the code and
 * fills the error it was given; it never leaves text there when it returns DBK_OK. Log
 * an error once, at the edge (a request, a command, a thread's loop).
 */
#ifndef DBK_STORE_ERROR_H
#define DBK_STORE_ERROR_H

/* Those that a verdict may have keep their numbers: they are kept with idempotency keys. */
enum dbk_code {
    DBK_OK = 0,
    DBK_INVALID,     /* what was given is malformed or out of range */
    DBK_NOT_FOUND,   /* no such person, event, record, file */
    DBK_EXISTS,      /* this id is in the log already */
    DBK_CONFLICT,    /* another record forbids it: email taken, id deleted */
    DBK_MOVED,       /* the person is no longer at the expected version */
    DBK_KEY_REUSED,  /* the idempotency key came with another request before */
    DBK_TOO_LARGE,   /* over a bound of size or count */
    DBK_BUSY,        /* over a bound of load: try again later */
    DBK_TIMEOUT,     /* not done by its deadline */
    DBK_UNAVAILABLE, /* PostgreSQL is away, or a part is stopping */
    DBK_NOT_LEADER,  /* this log is a follower's: another one of its copies appends */
    DBK_NO_ROOM,     /* the disk is full */
    DBK_IO,          /* the disk or the system failed */
    DBK_IN_DOUBT,    /* it failed so that nobody knows whether it was written */
    DBK_DAMAGED,     /* bytes on disk are not what was written */
    DBK_INTERRUPTED, /* somebody asked to stop */
    DBK_UNSUPPORTED, /* not ours, or from a newer version */
    DBK_NO_MEMORY,
    DBK_KEYS_AWAY, /* a sealed log's ring of keys is gone, cut, or another one's */
    DBK_INTERNAL,  /* a bug of ours */
};

struct dbk_error {
    enum dbk_code code;
    char text[512]; /* NUL-terminated, one line; cut between characters */
};

/* Fill *err and return code, so that a failure is one return statement. err may be
 * NULL; the arguments may point into the text it has. */
enum dbk_code dbk_fail(struct dbk_error *err, enum dbk_code code, const char *format,
                       ...) __attribute__((format(printf, 3, 4)));

/* Put "context: " before the text of *err and return its code. */
enum dbk_code dbk_wrap(struct dbk_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
