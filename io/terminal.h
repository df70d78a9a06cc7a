/* Does a person watch stdout? */
#ifndef INK_IO_TERMINAL_H
#define INK_IO_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* True when stdout is a terminal that understands a line that is written over (TERM is set and not "dumb").
 * Open MPI's launcher gives rank 0 a pseudo terminal even when its own output goes into a file; then the
 * launcher's stdout is looked at. *columns: the terminal's width, 80 when it is not known. */
bool ink_terminal_watches(size_t *columns);
#endif
