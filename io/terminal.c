/* Looks for the person behind stdout. See terminal.h. */
#include "terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* The parent of a process, 0 when it cannot be read. */
static long parent_of(long process) {
  char path[64], line[128];
  long parent = 0;
  snprintf(path, sizeof path, "/proc/%ld/status", process);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  while (parent == 0 && fgets(line, sizeof line, file))
    if (strncmp(line, "PPid:", 5) == 0) parent = strtol(line + 5, NULL, 10);
  fclose(file);
  return parent;
}

static bool same_file(const struct stat *a, const struct stat *b) {
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* The launcher's stdout, opened: that of the nearest ancestor whose stdout is another file than ours (a shell
 * or `time` between the two has ours). -1: cannot be told. */
static int launchers_stdout(void) {
  struct stat ours, theirs;
  char path[64];
  if (fstat(STDOUT_FILENO, &ours)) return -1;
  for (long process = getppid(); process > 0; process = parent_of(process)) {
    snprintf(path, sizeof path, "/proc/%ld/fd/1", process);
    if (stat(path, &theirs)) return -1;
    if (same_file(&ours, &theirs)) continue;
    return S_ISCHR(theirs.st_mode) ? open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC) : -1;
  }
  return -1;
}

bool ink_terminal_watches(size_t *columns) {
  const char *kind = getenv("TERM");
  struct winsize size;
  *columns = 80;
  if (!kind || !*kind || strcmp(kind, "dumb") == 0 || !isatty(STDOUT_FILENO)) return false;
  bool launched = getenv("OMPI_COMM_WORLD_SIZE") != NULL;
  int screen = launched ? launchers_stdout() : STDOUT_FILENO;
  bool watches = screen >= 0 && isatty(screen);
  if (watches && ioctl(screen, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) *columns = size.ws_col;
  if (launched && screen >= 0) close(screen);
  return watches;
}
