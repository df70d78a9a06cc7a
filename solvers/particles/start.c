/* Places at the start: a point, a law, or samples from a file. See start.h. */
#include "start.h"
#include <math.h>
#include <string.h>
#include "../core/evaluate.h"
#include "../core/observe.h"

/* Nothing has happened yet. */
static void reset(InkEnsemble *e) {
  for (int64_t i = 0; i < e->room; i++) {
    for (int a = 0; a < e->dim; a++) {
      if (e->moved[a]) e->moved[a][i] = 0.0;
      if (e->quadratic[a]) e->quadratic[a][i] = 0.0;
      if (e->total[a]) e->total[a][i] = 0.0;
    }
    if (e->length) e->length[i] = 0.0;
    if (e->fate) e->fate[i] = INK_INSIDE;
    if (e->when) e->when[i] = NAN;
  }
}

static void all_at(InkEnsemble *e, const double *point) {
  for (int a = 0; a < e->dim; a++)
    for (int64_t i = 0; i < e->room; i++) e->x[a][i] = point[a];
}

/* ---- a law ---- */

static const double gauss_point = 0.57735026918962576451; /* 1/sqrt(3) of half a cell from its middle */
static const double envelope = 1.1;                       /* over the largest value seen in a cell */
enum { MOST_TRIES = 200 };

typedef struct Law {
  const InkMesh *mesh; /* over the ranks */
  InkProgram *density;
  double time;
  double *mass, *most;    /* arrays of the mesh: integral over a cell, largest value in it */
  double *upto, *ceiling; /* [cells] on all ranks: cumulative masses, envelopes */
} Law;

/* Place `where` of a cell along an axis: -1 its lower face, 1 the upper, 0 the centroid. */
static double place_in(const InkMesh *mesh, int axis, int64_t cell, double where) {
  const InkAxis *along = &mesh->axis[axis];
  if (where == 0.0 || axis >= mesh->dim) return along->centroid[cell];
  const double low = along->face[cell], high = along->face[cell + 1];
  return where == 1.0 ? high : where == -1.0 ? low : 0.5 * (low + high) + 0.5 * where * (high - low);
}

/* The density at one place of every cell of a row, x[] and values[] of the row's length. */
static void evaluate_row(const Law *law, int64_t j, int64_t k, const double where[3], double *x,
                         double *values) {
  const InkMesh *mesh = law->mesh;
  const double y = place_in(mesh, 1, mesh->start[1] + j, where[1]),
               z = place_in(mesh, 2, mesh->start[2] + k, where[2]);
  const double *in[INK_VARS] = {0};
  for (int64_t i = 0; i < mesh->count[0]; i++) x[i] = place_in(mesh, 0, mesh->start[0] + i, where[0]);
  in[INK_VAR_X] = x;
  in[INK_VAR_Y] = &y;
  in[INK_VAR_Z] = &z;
  in[INK_VAR_T] = &law->time;
  ink_program_run(law->density, (size_t)mesh->count[0], in, &values);
}

/* Adds what one place of every cell says: weight 0 for the envelope only, where infinite values at walls
 * do not count. */
static void look_at(const Law *law, const double where[3], double weight, double *x, double *values) {
  const InkMesh *mesh = law->mesh;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
      evaluate_row(law, j, k, where, x, values);
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        if (weight > 0.0) law->mass[row + i] += weight * values[i] * ink_mesh_volume(mesh, i, j, k);
        if (isfinite(values[i]) && values[i] > law->most[row + i]) law->most[row + i] = values[i];
      }
    }
}

static PetscErrorCode look_everywhere(const Law *law) {
  PetscFunctionBeginUser;
  const int corners = 1 << law->mesh->dim;
  double *x, *values;
  PetscCall(PetscMalloc2((size_t)law->mesh->count[0], &x, (size_t)law->mesh->count[0], &values));
  look_at(law, (const double[3]){0.0, 0.0, 0.0}, 0.0, x, values);
  for (int c = 0; c < corners; c++) {
    double where[3], point[3];
    for (int a = 0; a < 3; a++) {
      where[a] = a >= law->mesh->dim ? 0.0 : c >> a & 1 ? 1.0 : -1.0;
      point[a] = gauss_point * where[a];
    }
    look_at(law, where, 0.0, x, values);
    look_at(law, point, 1.0 / corners, x, values);
  }
  PetscCall(PetscFree2(x, values));
  PetscFunctionReturn(0);
}

/* A negative mass is one of a negative density. */
static PetscErrorCode check_masses(const Law *law, InkFailure *failure) {
  PetscFunctionBeginUser;
  const InkFieldView view = {.mesh = law->mesh, .values = law->mass};
  PetscBool found;
  int64_t index[3];
  double at[3], value, least, largest;
  char place[160];
  PetscCall(ink_observe_not_finite(&view, &found, index, at, &value));
  PetscCall(ink_observe_range(&view, &least, &largest));
  if (found) {
    ink_mesh_place(law->mesh, index, at, place, sizeof place);
    ink_fail(failure, INK_NUMERICAL, "initial.density is not finite near %s; mend the expression", place);
  } else if (least < 0.0)
    ink_fail(failure, INK_NUMERICAL, "initial.density is negative in places: a density is at least 0");
  PetscFunctionReturn(0);
}

/* A mesh array, whole on all ranks. */
static PetscErrorCode gather_all(const InkMesh *mesh, const double *values, double **all) {
  PetscFunctionBeginUser;
  const int64_t most = INT64_C(1) << 24; /* a message */
  PetscCall(PetscMalloc1((size_t)mesh->cells, all));
  PetscCall(ink_mesh_gather(mesh, values, *all));
  for (int64_t done = 0; done < mesh->cells; done += most) {
    const int64_t n = mesh->cells - done < most ? mesh->cells - done : most;
    PetscCallMPI(MPI_Bcast(*all + done, (int)n, MPI_DOUBLE, 0, mesh->comm));
  }
  PetscFunctionReturn(0);
}

/* The law's masses and envelopes. ink_model_initial looks at the density first: it knows what to say of bad
 * ones. */
static PetscErrorCode prepare(Law *law, const InkDeck *deck, InkFailure *failure) {
  PetscFunctionBeginUser;
  const InkExpr *density = ink_deck_expression(deck, "initial.density");
  char message[256] = "";
  PetscCall(ink_model_initial(deck, law->mesh, law->mass, failure));
  PetscCall(ink_failure_agree(law->mesh->comm, failure));
  if (failure->code) PetscFunctionReturn(0);
  law->density = ink_program_create(1, &density, INK_ROW_UNIFORM, message, sizeof message);
  PetscCheck(law->density, PETSC_COMM_SELF, PETSC_ERR_PLIB, "initial.density: %s", message);
  memset(law->mass, 0, (size_t)law->mesh->size * sizeof *law->mass);
  PetscCall(look_everywhere(law));
  ink_program_destroy(&law->density);
  PetscCall(check_masses(law, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(gather_all(law->mesh, law->mass, &law->upto));
  PetscCall(gather_all(law->mesh, law->most, &law->ceiling));
  for (int64_t c = 1; c < law->mesh->cells; c++) law->upto[c] += law->upto[c - 1];
  const uint64_t uniform = 1ull << INK_VAR_T;
  law->density = ink_program_create(1, &density, uniform, message, sizeof message);
  PetscFunctionReturn(0);
}

/* The first cell whose cumulative mass is above `mass`. */
static int64_t cell_at(const Law *law, double mass) {
  int64_t low = -1, high = law->mesh->cells - 1; /* upto[low] <= mass < upto[high] */
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    if (law->upto[middle] <= mass)
      low = middle;
    else
      high = middle;
  }
  return high;
}

/* One block of particles that look for their places. */
typedef struct Seekers {
  InkStream stream;
  uint64_t first;
  int n;
  int64_t cell[INK_PARTICLE_BLOCK];
  double draw[INK_DRAWS * INK_PARTICLE_BLOCK]; /* draw d of particle i at d n + i */
  double x[3][INK_PARTICLE_BLOCK];
} Seekers;

/* The place a try proposes: uniform in the particle's cell. */
static void propose(const InkMesh *mesh, const Seekers *s, int i, double at[3]) {
  int64_t cell = s->cell[i];
  for (int a = 0; a < 3; a++) {
    const int64_t k = cell % mesh->axis[a].cells;
    const double *face = mesh->axis[a].face + k;
    cell /= mesh->axis[a].cells;
    at[a] = a < mesh->dim ? face[0] + s->draw[a * s->n + i] * (face[1] - face[0]) : 0.0;
  }
}

/* One try of the particles left[0 .. many - 1]; returns how many are still without a place. The last try is
 * taken as it is. */
static int try_once(const Law *law, Seekers *s, uint64_t try, int *left, int many) {
  const double *in[INK_VARS] = {0};
  double place[3][INK_PARTICLE_BLOCK], density[INK_PARTICLE_BLOCK], *out = density;
  int still = 0;
  ink_random_uniforms(s->stream, s->first, (size_t)s->n, try + 1, s->draw);
  for (int p = 0; p < many; p++) {
    double at[3];
    propose(law->mesh, s, left[p], at);
    for (int a = 0; a < 3; a++) place[a][p] = at[a];
  }
  for (int a = 0; a < 3; a++) in[INK_VAR_X + a] = place[a];
  in[INK_VAR_T] = &law->time;
  ink_program_run(law->density, (size_t)many, in, &out);
  for (int p = 0; p < many; p++) {
    const int i = left[p];
    const double height = envelope * law->ceiling[s->cell[i]] * s->draw[3 * s->n + i];
    for (int a = 0; a < law->mesh->dim; a++) s->x[a][i] = place[a][p];
    if (!(height < density[p])) left[still++] = i;
  }
  return still;
}

/* Places of particles first .. first + n - 1, n at most a block, into s->x. */
static void seek(const Law *law, uint64_t first, int n, Seekers *s) {
  int left[INK_PARTICLE_BLOCK], many = n;
  s->first = first;
  s->n = n;
  ink_random_uniforms(s->stream, first, (size_t)n, 0, s->draw);
  for (int i = 0; i < n; i++) {
    left[i] = i;
    s->cell[i] = cell_at(law, s->draw[i] * law->upto[law->mesh->cells - 1]);
  }
  for (uint64_t try = 0; try < MOST_TRIES && many > 0; try++) many = try_once(law, s, try, left, many);
}

static PetscErrorCode draw_all(const Law *law, InkEnsemble *e) {
  PetscFunctionBeginUser;
  Seekers *s;
  PetscCall(PetscNew(&s));
  s->stream = (InkStream){e->seed, INK_STREAM_START};
  seek(law, 0, 1, s);
  for (int a = 0; a < e->dim; a++)
    for (int64_t i = e->n; i < e->room; i++) e->x[a][i] = s->x[a][0];
  for (int64_t i = 0; i < e->n; i += INK_PARTICLE_BLOCK) {
    const int n = (int)(e->n - i < INK_PARTICLE_BLOCK ? e->n - i : INK_PARTICLE_BLOCK);
    seek(law, (uint64_t)(e->first + i), n, s);
    for (int a = 0; a < e->dim; a++) memcpy(e->x[a] + i, s->x[a], (size_t)n * sizeof(double));
  }
  PetscCall(PetscFree(s));
  PetscFunctionReturn(0);
}

static PetscErrorCode start_by_law(const InkDeck *deck, InkEnsemble *e, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkMesh *mesh = NULL;
  PetscCall(ink_mesh_create(e->comm, deck, &mesh, failure));
  if (failure->code) PetscFunctionReturn(0);
  Law law = {.mesh = mesh, .time = ink_deck_number(deck, "time.start")};
  PetscCall(ink_mesh_array(mesh, &law.mass));
  PetscCall(ink_mesh_array(mesh, &law.most));
  PetscCall(prepare(&law, deck, failure));
  if (!failure->code) PetscCall(draw_all(&law, e));
  if (law.density) ink_program_destroy(&law.density);
  PetscCall(PetscFree(law.upto));
  PetscCall(PetscFree(law.ceiling));
  ink_mesh_free(&law.mass);
  ink_mesh_free(&law.most);
  PetscCall(ink_mesh_destroy(&mesh));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_start_initial(const InkDeck *deck, InkEnsemble *ensemble, InkFailure *failure) {
  PetscFunctionBeginUser;
  const double *point;
  reset(ensemble);
  if (ink_deck_numbers(deck, &point, "initial.point") >= ensemble->dim)
    all_at(ensemble, point);
  else
    PetscCall(start_by_law(deck, ensemble, failure));
  PetscFunctionReturn(0);
}

/* ---- what the deck gives ---- */

bool ink_start_is_given(const InkDeck *deck) {
  return ink_deck_has(deck, "particles.start.point") || ink_deck_has(deck, "particles.start.file");
}

/* The samples of one state variable in a file. */
typedef struct Samples {
  char path[128]; /* of the dataset */
  int axes;
  hsize_t size[4];
} Samples;

static int64_t number_of(const Samples *s) { return s->axes < 1 ? 0 : (int64_t)s->size[s->axes - 1]; }

/* particles.start.file, relative to the deck's folder. Any refusal of it is the deck's. */
static PetscErrorCode open_file(MPI_Comm comm, const InkDeck *deck, InkStore **store, InkFailure *failure) {
  PetscFunctionBeginUser;
  const char *given = ink_deck_text(deck, "particles.start.file"), *file = ink_deck_file(deck);
  const char *slash = *given == '/' ? NULL : strrchr(file, '/');
  char path[4096];
  InkFailure found = {.code = INK_DONE};
  snprintf(path, sizeof path, "%.*s%s", slash ? (int)(slash - file) + 1 : 0, file, given);
  PetscCall(ink_store_open(comm, path, false, store, &found));
  if (found.code) ink_fail(failure, INK_USAGE, "particles.start.file: %s", found.message);
  PetscFunctionReturn(0);
}

static PetscErrorCode find_samples(const InkDeck *deck, InkStore *store, const char *state, Samples *s,
                                   InkFailure *failure) {
  PetscFunctionBeginUser;
  snprintf(s->path, sizeof s->path, "/path_%s", state);
  if (!ink_store_has(store, s->path)) snprintf(s->path, sizeof s->path, "/%s", state);
  const bool there = ink_store_has(store, s->path);
  const char *given = ink_deck_text(deck, "particles.start.file");
  if (!there)
    ink_fail(failure, INK_USAGE, "particles.start.file: %s has neither a dataset path_%s nor %s", given,
             state, state);
  if (there) PetscCall(ink_store_size(store, s->path, &s->axes, s->size));
  if (there && (s->axes < 1 || s->axes > 2 || number_of(s) < 1 || (s->axes == 2 && s->size[0] < 1)))
    ink_fail(failure, INK_USAGE,
             "particles.start.file: %s of %s is neither a list of samples nor of (time, sample)", s->path + 1,
             given);
  PetscFunctionReturn(0);
}

/* The datasets of all states, of one length. */
static PetscErrorCode find_all(const InkDeck *deck, InkStore *store, Samples samples[3],
                               InkFailure *failure) {
  PetscFunctionBeginUser;
  const InkDomainAxis *axis;
  const int dim = ink_deck_state(deck, &axis);
  for (int a = 0; a < dim && !failure->code; a++)
    PetscCall(find_samples(deck, store, axis[a].name, &samples[a], failure));
  for (int a = 1; a < dim && !failure->code; a++)
    if (number_of(&samples[a]) != number_of(&samples[0]))
      ink_fail(failure, INK_USAGE, "particles.start.file: %s has %lld samples and %s %lld",
               samples[0].path + 1, (long long)number_of(&samples[0]), samples[a].path + 1,
               (long long)number_of(&samples[a]));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_start_count(MPI_Comm comm, const InkDeck *deck, int64_t *count, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkStore *store = NULL;
  Samples samples[3] = {{.axes = 0}};
  *count = 0;
  PetscCall(open_file(comm, deck, &store, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(find_all(deck, store, samples, failure));
  if (!failure->code) *count = number_of(&samples[0]);
  PetscCall(ink_store_close(&store));
  PetscFunctionReturn(0);
}

/* n samples from `first` on. Collective, n may be 0. */
static PetscErrorCode read_samples(InkStore *store, const Samples *s, int64_t first, int64_t n, double *to) {
  PetscFunctionBeginUser;
  const int last = s->axes - 1;
  InkBox box = {.rank = s->axes};
  for (int a = 0; a < s->axes; a++) box.size[a] = s->size[a];
  if (last == 1) {
    box.start[0] = s->size[0] - 1; /* the last time */
    box.count[0] = 1;
  }
  box.start[last] = (hsize_t)(n > 0 ? first : 0);
  box.count[last] = (hsize_t)n;
  PetscCall(ink_store_read(store, s->path, &box, to));
  PetscFunctionReturn(0);
}

/* Particle i gets sample i modulo their number: those a rank needs are one stretch of the file, or two where
 * it begins anew, or all of it. */
static PetscErrorCode read_state(InkStore *store, const Samples *s, const InkEnsemble *e, double *x) {
  PetscFunctionBeginUser;
  const int64_t all = number_of(s), begin = e->n < all ? e->first % all : 0, most = e->n < all ? e->n : all;
  const int64_t ahead = most < all - begin ? most : all - begin;
  double *values;
  PetscCall(PetscMalloc1((size_t)most + 1, &values));
  PetscCall(read_samples(store, s, begin, ahead, values));
  PetscCall(read_samples(store, s, 0, most - ahead, values + ahead));
  for (int64_t i = 0; i < e->n; i++) x[i] = e->n < all ? values[i] : values[(e->first + i) % all];
  PetscCall(PetscFree(values));
  PetscCall(read_samples(store, s, 0, e->room > e->n ? 1 : 0, x + e->n));
  for (int64_t i = e->n + 1; i < e->room; i++) x[i] = x[e->n];
  PetscFunctionReturn(0);
}

/* Are all places finite and inside? The failure names the sample of the lowest particle of this rank. */
static void check_places(const InkDeck *deck, const InkEnsemble *e, int64_t samples, InkFailure *failure) {
  const InkDomainAxis *axis;
  ink_deck_state(deck, &axis);
  for (int a = 0; a < e->dim && !failure->code; a++) {
    const double from = ink_deck_number(deck, "%s.from", axis[a].section),
                 to = ink_deck_number(deck, "%s.to", axis[a].section);
    for (int64_t i = 0; i < e->n && !failure->code; i++)
      if (!(e->x[a][i] >= from && e->x[a][i] <= to))
        ink_fail(failure, INK_USAGE,
                 "particles.start.file: sample %lld is outside the domain: %s = %.9g is not between %.9g and "
                 "%.9g",
                 (long long)((e->first + i) % samples), axis[a].name, e->x[a][i], from, to);
  }
}

static PetscErrorCode start_from_file(const InkDeck *deck, InkEnsemble *e, InkFailure *failure) {
  PetscFunctionBeginUser;
  InkStore *store = NULL;
  Samples samples[3] = {{.axes = 0}};
  InkFailure reading = {.code = INK_DONE};
  PetscCall(open_file(e->comm, deck, &store, failure));
  if (failure->code) PetscFunctionReturn(0);
  PetscCall(find_all(deck, store, samples, failure));
  for (int a = 0; a < e->dim && !failure->code; a++) PetscCall(read_state(store, &samples[a], e, e->x[a]));
  PetscCall(ink_store_commit(&store, &reading));
  if (reading.code) ink_fail(failure, INK_USAGE, "particles.start.file: %s", reading.message);
  if (!failure->code) check_places(deck, e, number_of(&samples[0]), failure);
  PetscCall(ink_failure_agree(e->comm, failure));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_start_given(const InkDeck *deck, InkEnsemble *ensemble, InkFailure *failure) {
  PetscFunctionBeginUser;
  const double *point;
  reset(ensemble);
  if (ink_deck_numbers(deck, &point, "particles.start.point") >= ensemble->dim)
    all_at(ensemble, point);
  else
    PetscCall(start_from_file(deck, ensemble, failure));
  PetscFunctionReturn(0);
}
