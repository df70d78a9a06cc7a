/* One run in one OUT. Rank 0 only. */
#ifndef INK_IO_LOCK_H
#define INK_IO_LOCK_H
#include "error.h"

typedef struct InkLock InkLock;
/* Makes OUT (and its parents) if need be and locks it. The lock is the kernel's, so it goes with the process,
 * however it dies. NULL and failure: in use by another run (INK_USAGE, names host and pid when known), or not
 * writable (INK_STORAGE). On a file system without locks: says so once on stderr and goes on. */
InkLock *ink_lock_take(const char *out, InkFailure *failure);
/* An OUT that holds nothing but the lock is removed again. */
void ink_lock_release(InkLock **lock);
#endif
