/* Peer of checkpoint writing: write + fsync of the same number of bytes by N processes of MPI, each its part
 * of one file. Usage: write_fsync FILE BYTES; prints the seconds from open to fsync and close. */
#include <fcntl.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int rank, ranks;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &ranks);
  if (argc < 3) MPI_Abort(MPI_COMM_WORLD, 2);
  const size_t bytes = (size_t)atoll(argv[2]) / (size_t)ranks;
  char *data = malloc(bytes);
  for (size_t i = 0; i < bytes; i++) data[i] = (char)(i * 2654435761u >> 13);
  if (rank == 0) close(open(argv[1], O_CREAT | O_TRUNC | O_WRONLY, 0644));
  MPI_Barrier(MPI_COMM_WORLD);
  const double start = MPI_Wtime();
  const int file = open(argv[1], O_WRONLY);
  for (size_t done = 0; done < bytes;) {
    const size_t piece = bytes - done < (1u << 24) ? bytes - done : (1u << 24);
    const ssize_t wrote = pwrite(file, data + done, piece, (off_t)((size_t)rank * bytes + done));
    if (wrote <= 0) MPI_Abort(MPI_COMM_WORLD, 74);
    done += (size_t)wrote;
  }
  fsync(file);
  close(file);
  MPI_Barrier(MPI_COMM_WORLD);
  const double seconds = MPI_Wtime() - start;
  if (rank == 0) {
    printf("{\"seconds\": %.6f}\n", seconds);
    unlink(argv[1]);
  }
  free(data);
  MPI_Finalize();
  return 0;
}
