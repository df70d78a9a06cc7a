/* Large arrays: each rank its box.
 *
 * A contiguous dataset has one address in the file, and element (i0, i1, ...) of it stands at
 * address + bytes * ((i0 * size1 + i1) * size2 + ...). Rank 0 makes the dataset and tells the address; every
 * rank then writes or reads the rows of its box there, neighbouring rows joined in a buffer. Compressed
 * datasets have no fixed place for a row: they go through rank 0, slab by slab.
 *
 * A piece of the file is gathered, hashed and written while it is in the cache, and the disk is told to begin
 * with it at once, so that the final sync finds little left to do. */
#define _GNU_SOURCE /* sync_file_range */
#include "checksum.h"
#include "store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

enum { BUFFER = 1 << 20, READ_BUFFER = 8 << 20, LONG_ROW = 4096 }; /* bytes */
enum { PARTS = 256 };                                              /* of a piece; Linux takes 1024 */

/* Walks over the rows (last axis) of a box. */
typedef struct Rows {
  InkBox box;
  hsize_t index[4]; /* of the row, within the box */
  bool done;
} Rows;

static Rows rows_of(const InkBox *box) {
  Rows rows = {.box = *box};
  InkBox *b = &rows.box;
  bool packed = true;
  if (b->rank == 0) { /* a scalar is an array of one */
    b->rank = 1;
    b->size[0] = b->count[0] = b->stride[0] = 1;
    b->start[0] = 0;
  }
  for (int a = 0; a < b->rank; a++) {
    if (b->stride[a] != 0) packed = false;
    if (b->count[a] == 0) rows.done = true;
  }
  hsize_t stride = 1;
  for (int a = b->rank - 1; a >= 0 && packed; a--) {
    b->stride[a] = stride;
    stride *= b->count[a];
  }
  return rows;
}

static void rows_next(Rows *rows) {
  int a = rows->box.rank - 2;
  while (a >= 0 && ++rows->index[a] == rows->box.count[a]) rows->index[a--] = 0;
  if (a < 0) rows->done = true;
}

/* Element of the global array, and of memory, at which the row begins. */
static void rows_place(const Rows *rows, hsize_t *global, hsize_t *memory) {
  const InkBox *b = &rows->box;
  *global = *memory = 0;
  for (int a = 0; a < b->rank; a++) {
    hsize_t i = a == b->rank - 1 ? 0 : rows->index[a];
    *global = *global * b->size[a] + b->start[a] + i;
    *memory += i * b->stride[a];
  }
}

static hsize_t rows_length(const Rows *rows) { return rows->box.count[rows->box.rank - 1]; }
static hsize_t rows_stride(const Rows *rows) { return rows->box.stride[rows->box.rank - 1]; }

static hsize_t box_cells(const InkBox *box) {
  hsize_t n = 1;
  for (int a = 0; a < box->rank; a++) n *= box->count[a];
  return n;
}

/* Elements that follow one another in the file from a row's beginning on, at most. */
static hsize_t box_run(const InkBox *box) {
  hsize_t run = 1;
  for (int a = box->rank - 1; a >= 0; a--) {
    run *= box->count[a];
    if (box->count[a] != box->size[a]) break;
  }
  return run;
}

static void copy_out(const double *from, hsize_t stride, hsize_t n, bool single, char *to) {
  if (single) {
    float *out = (float *)(void *)to;
    for (hsize_t i = 0; i < n; i++) out[i] = (float)from[i * stride];
  } else if (stride == 1)
    memcpy(to, from, n * sizeof *from);
  else {
    double *out = (double *)(void *)to;
    for (hsize_t i = 0; i < n; i++) out[i] = from[i * stride];
  }
}

static int write_at(int fd, const char *data, size_t length, off_t at) {
  while (length > 0) {
    ssize_t n = pwrite(fd, data, length < (1u << 30) ? length : (1u << 30), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    data += n;
    at += n;
    length -= (size_t)n;
  }
  return 0;
}

static int read_at(int fd, char *data, size_t length, off_t at) {
  while (length > 0) {
    ssize_t n = pread(fd, data, length < (1u << 30) ? length : (1u << 30), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    if (n == 0) return EIO; /* past the end */
    data += n;
    at += n;
    length -= (size_t)n;
  }
  return 0;
}

/* Where a rank writes. Values that follow one another in the file make a piece of at most about 1 MiB: long
 * rows of doubles stay where they lie and are written from there, all else is joined in a buffer. */
typedef struct Writer {
  int fd;
  InkBlockHashes *hashes; /* or NULL */
  char *buffer;
  size_t buffered, filled; /* bytes in the buffer, and in the piece */
  off_t begin;             /* in the file, of the piece's first byte */
  int parts;
  struct iovec part[PARTS];
} Writer;

static int flush_piece(Writer *w) {
  int error = 0;
  off_t at = w->begin;
  for (int i = 0; w->hashes && i < w->parts; at += (off_t)w->part[i++].iov_len)
    ink_block_hashes_add(w->hashes, w->part[i].iov_base, w->part[i].iov_len, (int64_t)at);
  ssize_t n = w->parts > 1 ? pwritev(w->fd, w->part, w->parts, w->begin) : 0;
  size_t done = n > 0 ? (size_t)n : 0;
  at = w->begin;
  /* What is left: after a short or failed write, and single parts. It tells the error. */
  for (int i = 0; i < w->parts && !error; at += (off_t)w->part[i++].iov_len) {
    size_t skip = done < w->part[i].iov_len ? done : w->part[i].iov_len;
    done -= skip;
    error = write_at(w->fd, (char *)w->part[i].iov_base + skip, w->part[i].iov_len - skip, at + (off_t)skip);
  }
  /* A hint; whether all went well is told by fsync. */
  if (!error && w->filled) (void)sync_file_range(w->fd, w->begin, (off_t)w->filled, SYNC_FILE_RANGE_WRITE);
  w->begin += (off_t)w->filled;
  w->filled = w->buffered = 0;
  w->parts = 0;
  return error;
}

/* Adds bytes that stand at `from`, right behind the buffer's last part where they are in the buffer. */
static void add_part(Writer *w, char *from, size_t bytes) {
  struct iovec *last = w->parts ? &w->part[w->parts - 1] : NULL;
  if (last && (char *)last->iov_base + last->iov_len == from)
    last->iov_len += bytes;
  else
    w->part[w->parts++] = (struct iovec){from, bytes};
  w->filled += bytes;
}

/* Part of a row: n values that go to `at` in the file. */
static int write_part(Writer *w, const double *from, hsize_t stride, hsize_t n, bool single, off_t at) {
  const size_t bytes = single ? sizeof(float) : sizeof(double);
  const bool in_place = !single && stride == 1 && n * bytes >= LONG_ROW;
  int error = 0;
  if (at != w->begin + (off_t)w->filled) {
    error = flush_piece(w);
    w->begin = at;
  }
  while (n > 0 && !error) {
    hsize_t count = (BUFFER - w->filled) / bytes;
    if (count > n) count = n;
    char *place = w->buffer + w->buffered;
    if (in_place)
      memcpy(&place, &from, sizeof place); /* only read, but an iovec knows no const */
    else {
      copy_out(from, stride, count, single, place);
      w->buffered += count * bytes;
    }
    add_part(w, place, count * bytes);
    from += count * stride;
    n -= count;
    if (w->filled + bytes > BUFFER || w->parts == PARTS) error = flush_piece(w);
  }
  return error;
}

static int write_box(const InkStore *s, off_t address, const InkBox *box, const double *values, bool single) {
  Writer w = {.fd = s->fd, .hashes = s->hashes, .buffer = malloc(BUFFER), .begin = address};
  const off_t bytes = single ? sizeof(float) : sizeof(double);
  hsize_t global, memory;
  int error = w.buffer ? 0 : ENOMEM;
  for (Rows rows = rows_of(box); !rows.done && !error; rows_next(&rows)) {
    rows_place(&rows, &global, &memory);
    error = write_part(&w, values + memory, rows_stride(&rows), rows_length(&rows), single,
                       address + bytes * (off_t)global);
  }
  if (!error) error = flush_piece(&w);
  free(w.buffer);
  return error;
}

static int read_box(int fd, off_t address, const InkBox *box, double *values) {
  const size_t room = READ_BUFFER / sizeof *values;
  hsize_t run = box_run(box), begin = 0, held = 0, passed = 0, global, memory;
  int error = 0;
  double *buffer = malloc(READ_BUFFER);
  if (!buffer) return ENOMEM;
  for (Rows rows = rows_of(box); !rows.done && !error; rows_next(&rows)) {
    rows_place(&rows, &global, &memory);
    for (hsize_t i = 0; i < rows_length(&rows); i++, passed++) {
      if (global + i < begin ||
          global + i >= begin + held) { /* fill the buffer with what follows in the file */
        begin = global + i;
        held = run - passed % run < room ? run - passed % run : room;
        error = read_at(fd, (char *)buffer, held * sizeof *values, address + (off_t)(begin * sizeof *values));
        if (error) break;
      }
      values[memory + i * rows_stride(&rows)] = buffer[global + i - begin];
    }
  }
  free(buffer);
  return error;
}

/* What rank 0 tells the others of a dataset. */
typedef struct Place {
  int64_t good, address; /* address -1: not readable in place */
} Place;

/* Opens the file for this rank's own reading and writing, once. */
static int own_descriptor(InkStore *s) {
  if (s->fd < 0) s->fd = open(s->tmp, (s->writing ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
  return s->fd < 0 ? errno : 0;
}

/* Copies between a box in memory and a packed buffer. */
static void pack(const InkBox *box, const double *values, double *packed) {
  hsize_t global, memory;
  for (Rows rows = rows_of(box); !rows.done; rows_next(&rows)) {
    rows_place(&rows, &global, &memory);
    copy_out(values + memory, rows_stride(&rows), rows_length(&rows), false, (char *)packed);
    packed += rows_length(&rows);
  }
}

static void unpack(const InkBox *box, const double *packed, double *values) {
  hsize_t global, memory;
  for (Rows rows = rows_of(box); !rows.done; rows_next(&rows)) {
    rows_place(&rows, &global, &memory);
    for (hsize_t i = 0; i < rows_length(&rows); i++) values[memory + i * rows_stride(&rows)] = *packed++;
  }
}

/* The part of a box inside `slab`, and where its first element lies in memory from the box's first. */
static InkBox intersect(const InkBox *box, const InkBox *slab, hsize_t *memory) {
  Rows rows = rows_of(box); /* fills in the strides */
  InkBox part = rows.box;
  *memory = 0;
  for (int a = 0; a < part.rank; a++) {
    hsize_t low = part.start[a] > slab->start[a] ? part.start[a] : slab->start[a];
    hsize_t end = part.start[a] + part.count[a], slab_end = slab->start[a] + slab->count[a];
    hsize_t high = end < slab_end ? end : slab_end;
    *memory += low > part.start[a] ? (low - part.start[a]) * part.stride[a] : 0;
    part.count[a] = high > low ? high - low : 0;
    part.start[a] = low;
  }
  return part;
}

/* The n-th slab of a dataset cut into chunks; false past the last. */
static bool slab_of(const InkBox *box, const hsize_t *chunk, hsize_t n, InkBox *slab) {
  memset(slab, 0, sizeof *slab);
  slab->rank = box->rank;
  for (int a = box->rank - 1; a >= 0; a--) {
    hsize_t pieces = (box->size[a] + chunk[a] - 1) / chunk[a], i = n % pieces;
    n /= pieces;
    slab->size[a] = box->size[a];
    slab->start[a] = i * chunk[a];
    slab->count[a] = box->size[a] - slab->start[a] < chunk[a] ? box->size[a] - slab->start[a] : chunk[a];
  }
  return n == 0;
}

static void write_slab(InkStore *s, hid_t dataset, const InkBox *slab, const double *values) {
  hid_t space = H5Dget_space(dataset), memory = H5Screate_simple(slab->rank, slab->count, NULL);
  H5Sselect_hyperslab(space, H5S_SELECT_SET, slab->start, NULL, slab->count, NULL);
  if (H5Dwrite(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values) < 0)
    ink_store_note_h5(s, "write");
  H5Sclose(memory);
  H5Sclose(space);
}

/* Rank 0's side of a slab: puts the ranks' parts, one behind the other in `parts`, in their places. */
static void assemble(const InkBox *boxes, int size, const InkBox *slab, const double *parts, double *whole) {
  for (int r = 0; r < size; r++) {
    hsize_t ignored;
    InkBox part = intersect(&boxes[r], slab, &ignored);
    hsize_t stride = 1;
    for (int a = part.rank - 1; a >= 0; a--) { /* as it lies in the slab */
      part.stride[a] = stride;
      stride *= slab->count[a];
    }
    hsize_t first = 0;
    for (int a = 0; a < part.rank; a++)
      if (part.count[a]) first += (part.start[a] - slab->start[a]) * part.stride[a];
    if (box_cells(&part)) unpack(&part, parts, whole + first);
    parts += box_cells(&part);
  }
}

static PetscErrorCode write_compressed(InkStore *s, hid_t dataset, const InkBox *box, const double *values,
                                       size_t bytes) {
  PetscFunctionBeginUser;
  hsize_t chunk[4], cells = 1, memory;
  InkBox slab, *boxes = malloc((size_t)s->size * sizeof *boxes);
  ink_h5_chunk(box->rank, box->size, bytes, chunk);
  for (int a = 0; a < box->rank; a++) cells *= chunk[a];
  double *mine = malloc(cells * sizeof *mine), *parts = malloc(cells * sizeof *parts),
         *whole = malloc(cells * sizeof *whole);
  int *counts = malloc((size_t)s->size * sizeof *counts), *starts = malloc((size_t)s->size * sizeof *starts);
  PetscCheck(boxes && mine && parts && whole && counts && starts, PETSC_COMM_SELF, PETSC_ERR_MEM,
             "no memory for a slab");
  PetscCallMPI(MPI_Allgather(box, (int)sizeof *box, MPI_BYTE, boxes, (int)sizeof *box, MPI_BYTE, s->comm));
  bool more = true;
  for (hsize_t n = 0; (more = slab_of(box, chunk, n, &slab)); n++) {
    int at = 0;
    for (int r = 0; r < s->size; r++) {
      InkBox part = intersect(&boxes[r], &slab, &memory);
      counts[r] = (int)box_cells(&part);
      starts[r] = at;
      at += counts[r];
    }
    InkBox part = intersect(box, &slab, &memory);
    if (counts[s->rank]) pack(&part, values + memory, mine);
    PetscCallMPI(
        MPI_Gatherv(mine, counts[s->rank], MPI_DOUBLE, parts, counts, starts, MPI_DOUBLE, 0, s->comm));
    if (ink_store_root(s)) {
      assemble(boxes, s->size, &slab, parts, whole);
      write_slab(s, dataset, &slab, whole);
    }
  }
  free(boxes);
  free(mine);
  free(parts);
  free(whole);
  free(counts);
  free(starts);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_store_write(InkStore *s, const char *path, const InkBox *box, const double *values,
                               bool single, int compression) {
  PetscFunctionBeginUser;
  Place place = {0, -1};
  hid_t dataset = H5I_INVALID_HID;
  if (box->rank == 0) compression = 0;
  if (ink_store_root(s)) {
    dataset = ink_h5_array(s->file, path, box->rank, box->size, single ? H5T_NATIVE_FLOAT : H5T_NATIVE_DOUBLE,
                           compression);
    if (dataset < 0)
      ink_store_note_h5(s, "write");
    else {
      place.good = 1;
      if (!compression) place.address = (int64_t)H5Dget_offset(dataset);
    }
  }
  PetscCallMPI(MPI_Bcast(&place, (int)sizeof place, MPI_BYTE, 0, s->comm));
  if (place.good && compression)
    PetscCall(write_compressed(s, dataset, box, values, single ? 4 : 8));
  else if (place.good && s->failure.code == INK_DONE && box_cells(box) > 0) {
    int error = own_descriptor(s);
    if (!error) error = write_box(s, (off_t)place.address, box, values, single);
    if (error) ink_store_note_errno(s, "write", error);
  }
  if (dataset >= 0) H5Dclose(dataset);
  PetscFunctionReturn(0);
}

/* Address of a contiguous dataset of native doubles; -1 for all others. Checks the size. */
static Place find_place(InkStore *s, const char *path, hid_t dataset, const InkBox *box) {
  Place place = {0, -1};
  hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset), list = H5Dget_create_plist(dataset);
  hsize_t size[H5S_MAX_RANK] = {0};
  bool same = H5Sget_simple_extent_ndims(space) == box->rank;
  if (same) H5Sget_simple_extent_dims(space, size, NULL);
  for (int a = 0; a < box->rank; a++) same = same && size[a] == box->size[a];
  if (!same) ink_fail(&s->failure, INK_STORAGE, "%s: %s does not have the expected size", s->path, path);
  place.good = same;
  if (H5Pget_layout(list) == H5D_CONTIGUOUS && H5Tequal(type, H5T_NATIVE_DOUBLE) > 0) {
    haddr_t address = H5Dget_offset(dataset);
    if (address != HADDR_UNDEF) place.address = (int64_t)address;
  }
  H5Pclose(list);
  H5Tclose(type);
  H5Sclose(space);
  return place;
}

static void read_slab(InkStore *s, hid_t dataset, const InkBox *box, double *values) {
  hid_t space = H5Dget_space(dataset), memory = H5S_ALL;
  if (box->rank > 0) {
    memory = H5Screate_simple(box->rank, box->count, NULL);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, box->start, NULL, box->count, NULL);
  }
  if (H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, values) < 0)
    ink_store_note_h5(s, "read");
  if (box->rank > 0) H5Sclose(memory);
  H5Sclose(space);
}

/* Rank 0 reads the others' boxes and sends them, 2^26 values a message. */
static PetscErrorCode read_by_root(InkStore *s, hid_t dataset, const InkBox *box, double *values) {
  PetscFunctionBeginUser;
  const hsize_t most = 1 << 26;
  hsize_t cells = box_cells(box);
  for (int r = 0; r < s->size; r++) {
    InkBox theirs = *box;
    double *packed = NULL;
    if (r > 0 && s->rank == r) PetscCallMPI(MPI_Send(box, (int)sizeof *box, MPI_BYTE, 0, 1, s->comm));
    if (r > 0 && s->rank == 0)
      PetscCallMPI(MPI_Recv(&theirs, (int)sizeof theirs, MPI_BYTE, r, 1, s->comm, MPI_STATUS_IGNORE));
    if (s->rank == r || s->rank == 0) {
      cells = box_cells(&theirs);
      packed = calloc(cells + 1, sizeof *packed);
      PetscCheck(packed, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for a box");
    }
    if (s->rank == 0 && cells > 0 && s->failure.code == INK_DONE) read_slab(s, dataset, &theirs, packed);
    for (hsize_t done = 0; r > 0 && packed && done < cells; done += most) {
      int n = (int)(cells - done < most ? cells - done : most);
      if (s->rank == 0)
        PetscCallMPI(MPI_Send(packed + done, n, MPI_DOUBLE, r, 2, s->comm));
      else
        PetscCallMPI(MPI_Recv(packed + done, n, MPI_DOUBLE, 0, 2, s->comm, MPI_STATUS_IGNORE));
    }
    if (s->rank == r && cells > 0) unpack(box, packed, values);
    free(packed);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_store_read(InkStore *s, const char *path, const InkBox *box, double *values) {
  PetscFunctionBeginUser;
  Place place = {0, -1};
  hid_t dataset = H5I_INVALID_HID;
  if (ink_store_root(s)) {
    dataset = H5Dopen2(s->file, path, H5P_DEFAULT);
    if (dataset < 0) {
      H5Eclear2(H5E_DEFAULT);
      ink_fail(&s->failure, INK_STORAGE, "%s: has no %s", s->path, path);
    } else
      place = find_place(s, path, dataset, box);
  }
  PetscCallMPI(MPI_Bcast(&place, (int)sizeof place, MPI_BYTE, 0, s->comm));
  if (place.good && place.address < 0)
    PetscCall(read_by_root(s, dataset, box, values));
  else if (place.good && s->failure.code == INK_DONE && box_cells(box) > 0) {
    int error = own_descriptor(s);
    if (!error) error = read_box(s->fd, (off_t)place.address, box, values);
    if (error) ink_store_note_errno(s, "read", error);
  }
  if (dataset >= 0) H5Dclose(dataset);
  PetscFunctionReturn(0);
}
