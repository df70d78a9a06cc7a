/* Cosine, sine and Fourier transforms of lines, by real Fourier transforms of FFTW.
 *
 * The cosine transform X_m = sum_i x_i cos(pi m (2i+1)/(2n)) is a Fourier transform V of the even samples
 * followed by the odd ones backwards (Makhoul 1980): with w_m = exp(-i pi m/(2n)),
 *
 *     w_m V_m = X_m - i X_{n-m},      V_m = conj(w_m) (X_m - i X_{n-m}).
 *
 * The sine transform is the same of (-1)^i x_i with the slots backwards, which are left so. For flux at one
 * end and a value at the other, X_m = sum_i x_i cos(pi (2m+1)(2i+1)/(4n)), the odd samples change sign, V is
 * the transform of v_p exp(-i pi p/n), complex, w_m = exp(-i pi (2m+1)/(4n)), and X_{n-1-m} takes the place
 * of X_{n-m}; the other way round the line is read backwards. Periodic lines have w_m = 1 and all samples in
 * order. FFTW's own REDFT10 takes 3.6 ns a value at n = 512 on one core, this way 1.9: its codelets for
 * cosine transforms do not use vector instructions.
 *
 * Eight neighbouring lines at a time are copied into one buffer, so that cache lines are used whole. */
#include <complex.h>
#include <fftw3.h>
#include <math.h>
#include <stdlib.h>
#include "transform_impl.h"

enum { BATCH = 8, LINE = 8 }; /* LINE: doubles in a cache line */
static const double pi = 3.14159265358979323846;

/* The samples of one half of the buffer: places start, start + step, ..., times sign. */
typedef struct Half {
  int64_t count, start, step;
  double sign;
} Half;

struct InkLine {
  InkBasis basis;
  int64_t n, stride; /* stride: of the lines in the buffer */
  Half half[2];
  bool quarter;
  double *w;      /* [2 * slots]: real and imaginary parts */
  double *twist;  /* [2n] exp(-i pi p / n), for quarter waves */
  double *buffer; /* [BATCH][stride] */
  fftw_complex *complex_line, *spectrum;
  fftw_plan forward, backward;
};

static PetscErrorCode allocate(int64_t doubles, double **values) {
  PetscFunctionBeginUser;
  const int64_t bytes = (doubles + LINE) / LINE * LINE * (int64_t)sizeof(double);
  *values = aligned_alloc(LINE * sizeof(double), (size_t)bytes); /* FFTW's plans depend on the alignment */
  PetscCheck(*values, PETSC_COMM_SELF, PETSC_ERR_MEM, "no memory for %lld bytes", (long long)bytes);
  for (int64_t i = 0; i < doubles; i++) (*values)[i] = 0;
  PetscFunctionReturn(0);
}

static void split_samples(InkLine *line) {
  const int64_t n = line->n, even = line->basis == INK_FOURIER ? n : (n + 1) / 2;
  line->half[0] = (Half){even, 0, line->basis == INK_FOURIER ? 1 : 2, 1};
  line->half[1] = (Half){n - even, 2 * (n - even) - 1, -2, line->basis == INK_COSINE ? 1 : -1};
  if (line->basis != INK_SINE_QUARTER) return;
  for (int h = 0; h < 2; h++) {
    line->half[h].start = n - 1 - line->half[h].start;
    line->half[h].step = -line->half[h].step;
  }
}

static void make_twiddles(InkLine *line) {
  const int64_t n = line->n;
  for (int64_t m = 0; m <= n / 2; m++) {
    const double angle = line->quarter                ? pi * (double)(2 * m + 1) / (double)(4 * n)
                         : line->basis == INK_FOURIER ? 0
                                                      : pi * (double)m / (double)(2 * n);
    line->w[2 * m] = cos(angle);
    line->w[2 * m + 1] = -sin(angle);
  }
  for (int64_t p = 0; p < n && line->quarter; p++) {
    line->twist[2 * p] = cos(pi * (double)p / (double)n);
    line->twist[2 * p + 1] = -sin(pi * (double)p / (double)n);
  }
}

PetscErrorCode ink_line_create(InkBasis basis, int64_t n, InkLine **line) {
  PetscFunctionBeginUser;
  InkLine *l;
  double *spectrum, *complex_line;
  PetscCall(PetscNew(&l));
  l->basis = basis;
  l->n = n;
  l->quarter = basis == INK_COSINE_QUARTER || basis == INK_SINE_QUARTER;
  l->stride = (n + LINE - 1) / LINE * LINE + LINE; /* not a multiple of a page where n is */
  split_samples(l);
  PetscCall(allocate(2 * (n / 2 + 1), &l->w));
  PetscCall(allocate(l->quarter ? 2 * n : 0, &l->twist));
  PetscCall(allocate(BATCH * l->stride, &l->buffer));
  PetscCall(allocate(l->quarter ? 2 * n : 0, &complex_line));
  PetscCall(allocate(2 * (l->quarter ? n : n / 2 + 1), &spectrum));
  l->complex_line = (fftw_complex *)complex_line;
  l->spectrum = (fftw_complex *)spectrum;
  make_twiddles(l);
  const int size = (int)n;
  if (l->quarter) {
    l->forward = fftw_plan_dft_1d(size, l->complex_line, l->spectrum, FFTW_FORWARD, FFTW_ESTIMATE);
    l->backward = fftw_plan_dft_1d(size, l->spectrum, l->complex_line, FFTW_BACKWARD, FFTW_ESTIMATE);
  } else {
    l->forward = fftw_plan_dft_r2c_1d(size, l->buffer, l->spectrum, FFTW_ESTIMATE);
    l->backward = fftw_plan_dft_c2r_1d(size, l->spectrum, l->buffer, FFTW_ESTIMATE);
  }
  PetscCheck(l->forward && l->backward, PETSC_COMM_SELF, PETSC_ERR_LIB, "FFTW makes no plan for %d points",
             size);
  *line = l;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_line_destroy(InkLine **line) {
  PetscFunctionBeginUser;
  InkLine *l = *line;
  if (!l) PetscFunctionReturn(0);
  fftw_destroy_plan(l->forward);
  fftw_destroy_plan(l->backward);
  free(l->w);
  free(l->twist);
  free(l->buffer);
  free(l->complex_line);
  free(l->spectrum);
  PetscCall(PetscFree(*line));
  PetscFunctionReturn(0);
}

void ink_line_angles(const InkLine *line, double *angle) {
  const int64_t n = line->n;
  for (int64_t m = 0; m < n; m++) {
    const double cells = 2 * (double)n;
    if (line->quarter)
      angle[m] = pi * ((double)m + 0.5) / cells;
    else if (line->basis == INK_FOURIER)
      angle[m] = pi * (double)(2 * (m < n - m ? m : n - m)) / cells;
    else
      angle[m] = pi * (double)(line->basis == INK_SINE ? n - m : m) / cells;
  }
}

/* ---- one line in the buffer ---- */

static void forward(InkLine *line, double *v) {
  const int64_t n = line->n, first = line->quarter ? 0 : 1, last = line->quarter ? n - 1 : n;
  const double *w = line->w, *spectrum = (const double *)line->spectrum;
  if (line->quarter) {
    double *z = (double *)line->complex_line;
    for (int64_t p = 0; p < n; p++) {
      z[2 * p] = v[p] * line->twist[2 * p];
      z[2 * p + 1] = v[p] * line->twist[2 * p + 1];
    }
    fftw_execute(line->forward);
  } else {
    fftw_execute_dft_r2c(line->forward, v, line->spectrum);
    v[0] = spectrum[0];
  }
  int64_t m = first;
  for (; m < last - m; m++) {
    const double re = spectrum[2 * m], im = spectrum[2 * m + 1];
    v[m] = w[2 * m] * re - w[2 * m + 1] * im;
    v[last - m] = -(w[2 * m] * im + w[2 * m + 1] * re);
  }
  if (m == last - m) v[m] = w[2 * m] * spectrum[2 * m]; /* its own partner: V is real */
}

static void backward(InkLine *line, double *v) {
  const int64_t n = line->n, first = line->quarter ? 0 : 1, last = line->quarter ? n - 1 : n;
  const double *w = line->w;
  double *spectrum = (double *)line->spectrum;
  int64_t m = first;
  for (; m < last - m; m++) {
    const double cosine = v[m], sine = v[last - m];
    spectrum[2 * m] = w[2 * m] * cosine - w[2 * m + 1] * sine;
    spectrum[2 * m + 1] = -(w[2 * m] * sine + w[2 * m + 1] * cosine);
  }
  if (m == last - m) {
    spectrum[2 * m] = v[m] / w[2 * m];
    spectrum[2 * m + 1] = 0;
  }
  if (!line->quarter) {
    spectrum[0] = v[0];
    spectrum[1] = 0;
    fftw_execute_dft_c2r(line->backward, line->spectrum, v);
    return;
  }
  for (m = 0; m < last - m; m++) {
    spectrum[2 * (last - m)] = spectrum[2 * m];
    spectrum[2 * (last - m) + 1] = -spectrum[2 * m + 1];
  }
  fftw_execute(line->backward);
  const double *z = (const double *)line->complex_line;
  for (int64_t p = 0; p < n; p++)
    v[p] = z[2 * p] * line->twist[2 * p] + z[2 * p + 1] * line->twist[2 * p + 1];
}

/* ---- lines to the buffer and back ---- */

/* ---- many lines ---- */

/* Inlined with constants for count and one of the strides. */
static inline void load(InkLine *line, const Half half[2], const double *from, int64_t count, int64_t along,
                        int64_t between) {
  double *v = line->buffer;
  for (int h = 0; h < 2; v += half[h].count, h++)
    for (int64_t p = 0; p < half[h].count; p++)
      for (int64_t c = 0; c < count; c++)
        v[c * line->stride + p] =
            half[h].sign * from[(half[h].start + p * half[h].step) * along + c * between];
}

static inline void store(const InkLine *line, const Half half[2], double *to, int64_t count, int64_t along,
                         int64_t between) {
  const double *v = line->buffer;
  for (int h = 0; h < 2; v += half[h].count, h++)
    for (int64_t p = 0; p < half[h].count; p++)
      for (int64_t c = 0; c < count; c++)
        to[(half[h].start + p * half[h].step) * along + c * between] = half[h].sign * v[c * line->stride + p];
}

static void run(InkLine *line, const InkLines *from, const InkLines *to, bool to_modes) {
  const Half modes[2] = {{line->n, 0, 1, 1}, {0}};
  const Half *in = to_modes ? line->half : modes, *out = to_modes ? modes : line->half;
  const int64_t batch = from->between == 1 && from->along > 1 ? BATCH : 1;
  for (int64_t l = 0; l < from->count; l += batch) {
    const double *first = from->first + l * from->between;
    double *last = to->first + l * to->between;
    const int64_t count = from->count - l < batch ? from->count - l : batch;
    if (count == BATCH)
      load(line, in, first, BATCH, from->along, 1);
    else if (from->along == 1)
      load(line, in, first, 1, 1, 0);
    else
      load(line, in, first, count, from->along, from->between);
    for (int64_t c = 0; c < count; c++)
      (to_modes ? forward : backward)(line, line->buffer + c * line->stride);
    if (count == BATCH)
      store(line, out, last, BATCH, to->along, 1);
    else if (to->along == 1)
      store(line, out, last, 1, 1, 0);
    else
      store(line, out, last, count, to->along, to->between);
  }
}

void ink_line_forward(InkLine *line, const InkLines *from, const InkLines *to) { run(line, from, to, true); }

void ink_line_backward(InkLine *line, const InkLines *from, const InkLines *to) {
  run(line, from, to, false);
}
