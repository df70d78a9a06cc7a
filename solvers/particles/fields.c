/* The fields of a particle run: the histogram, the density beside it, and the places of some particles. */
#include "../core/observe.h"
#include "particles_impl.h"

static PetscErrorCode mesh_field(InkParticles *s, const char *name, const char *long_name, double **values) {
  PetscFunctionBeginUser;
  const InkDim *dim;
  ink_deck_fields(s->deck, NULL, &dim);
  PetscCall(ink_mesh_array(s->mesh, values));
  InkField *field = &s->field[s->fields++];
  *field = (InkField){.name = name,
                      .long_name = long_name,
                      .unit = ink_dim_text(s->pool, &s->texts, &dim[0]),
                      .values = ink_mesh_first(s->mesh, *values)};
  ink_mesh_grid(s->mesh, s->deck, &field->grid);
  PetscFunctionReturn(0);
}

/* One axis, the particles' numbers; a rank has those of its particles that are shown. */
static PetscErrorCode path_grid(InkParticles *s, int64_t shown, InkGrid *grid) {
  PetscFunctionBeginUser;
  const InkEnsemble *e = s->ensemble;
  const int64_t first = e->first < shown ? e->first : shown,
                end = e->first + e->n < shown ? e->first + e->n : shown;
  PetscCall(PetscMalloc1((size_t)shown, &s->number));
  PetscCall(PetscMalloc1((size_t)shown + 1, &s->edge));
  for (int64_t i = 0; i < shown; i++) s->number[i] = (double)i;
  for (int64_t i = 0; i <= shown; i++) s->edge[i] = (double)i - 0.5;
  *grid = (InkGrid){.dim = 1,
                    .coordinates = "cartesian",
                    .axis = {{.name = "path",
                              .unit = "1",
                              .cells = shown,
                              .centroid = s->number,
                              .face = s->edge,
                              .uniform = true}},
                    .box = {.rank = 1,
                            .size = {(hsize_t)shown},
                            .start = {(hsize_t)first},
                            .count = {(hsize_t)(end - first)},
                            .stride = {1}}};
  PetscFunctionReturn(0);
}

static PetscErrorCode path_fields(InkParticles *s) {
  PetscFunctionBeginUser;
  const InkDomainAxis *axis;
  InkGrid grid;
  int64_t shown = ink_deck_integer(s->deck, "output.paths");
  if (shown > s->ensemble->count) shown = s->ensemble->count;
  if (shown == 0) PetscFunctionReturn(0);
  PetscCall(path_grid(s, shown, &grid));
  const int dim = ink_deck_state(s->deck, &axis);
  for (int a = 0; a < dim; a++) {
    char name[160], title[200];
    (void)snprintf(name, sizeof name, "path_%s", axis[a].name);
    (void)snprintf(title, sizeof title, "%s of single particles", axis[a].name);
    s->field[s->fields++] = (InkField){.name = ink_pool_strdup(s->pool, name),
                                       .long_name = ink_pool_strdup(s->pool, title),
                                       .unit = axis[a].unit,
                                       .grid = grid,
                                       .values = s->ensemble->x[a]};
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_particles_make_fields(InkParticles *s, InkFailure *failure) {
  PetscFunctionBeginUser;
  char message[256] = "";
  const InkExpr *exact = ink_deck_expression(s->deck, "exact.p");
  PetscCall(PetscCalloc1(2 + 3, &s->field));
  PetscCall(mesh_field(s, "p", "probability density of the particles", &s->p));
  if (s->compares) PetscCall(mesh_field(s, "density", "probability density", &s->density));
  PetscCall(path_fields(s));
  PetscCall(PetscCalloc1((size_t)s->mesh->cells, &s->counts));
  if (s->compares) PetscCall(PetscCalloc1((size_t)s->mesh->cells, &s->mass));
  if (!exact) PetscFunctionReturn(0);
  s->exact = ink_program_create(1, &exact, INK_ROW_UNIFORM, message, sizeof message);
  if (!s->exact) ink_fail(failure, INK_USAGE, "exact.p: %s", message);
  PetscFunctionReturn(0);
}

PetscErrorCode ink_particles_free_fields(InkParticles *s) {
  PetscFunctionBeginUser;
  if (s->exact) ink_program_destroy(&s->exact);
  PetscCall(PetscFree(s->field));
  PetscCall(PetscFree(s->number));
  PetscCall(PetscFree(s->edge));
  PetscCall(PetscFree(s->counts));
  PetscCall(PetscFree(s->mass));
  if (s->p) ink_mesh_free(&s->p);
  if (s->density) ink_mesh_free(&s->density);
  PetscFunctionReturn(0);
}
