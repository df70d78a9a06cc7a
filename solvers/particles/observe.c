/* The histogram of the particles as a density on the model's cells, and how far it is from the density that
 * goes along. */
#include "../core/observe.h"
#include <string.h>
#include "particles_impl.h"

enum { MESSAGE = 1 << 24 }; /* numbers a call of MPI */

double ink_particles_forward_time(const InkParticles *self) {
  return self->reverse ? self->start + self->end - self->now : self->now;
}

/* Number of an owned cell in arrays of all cells. */
static int64_t number_of(const InkMesh *mesh, int64_t i, int64_t j, int64_t k) {
  return mesh->start[0] + i +
         mesh->axis[0].cells * (mesh->start[1] + j + mesh->axis[1].cells * (mesh->start[2] + k));
}

/* The densities of this rank's cells: counts over all particles and volume, and the chain's masses. */
static void fill_densities(InkParticles *self) {
  const InkMesh *mesh = self->mesh;
  const double all = (double)self->ensemble->count;
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
      const int64_t first = number_of(mesh, 0, j, k);
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        const double volume = ink_mesh_volume(mesh, i, j, k);
        self->p[row + i] = (double)self->counts[first + i] / (all * volume);
        if (self->compares && self->chain) self->density[row + i] = self->mass[first + i] / volume;
      }
    }
}

/* The masses of the density beside paths, whole on all ranks. */
static PetscErrorCode gather_masses(InkParticles *self) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = self->mesh;
  const double *density = ink_beside_values(self);
  double *mass;
  PetscCall(ink_mesh_array(mesh, &mass));
  for (int64_t k = 0; k < mesh->count[2]; k++)
    for (int64_t j = 0; j < mesh->count[1]; j++) {
      const int64_t row = mesh->origin + j * mesh->stride[1] + k * mesh->stride[2];
      for (int64_t i = 0; i < mesh->count[0]; i++) {
        self->density[row + i] = density[row + i];
        mass[row + i] = density[row + i] * ink_mesh_volume(mesh, i, j, k);
      }
    }
  PetscCall(ink_mesh_gather(mesh, mass, self->mass));
  ink_mesh_free(&mass);
  for (int64_t done = 0; done < mesh->cells; done += MESSAGE) {
    const int64_t n = mesh->cells - done < MESSAGE ? mesh->cells - done : MESSAGE;
    PetscCallMPI(MPI_Bcast(self->mass + done, (int)n, MPI_DOUBLE, 0, mesh->comm));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ink_particles_count(InkParticles *self) {
  PetscFunctionBeginUser;
  if (self->counted) PetscFunctionReturn(0);
  PetscCall(ink_ensemble_histogram(self->ensemble, self->mesh, self->counts));
  if (self->compares && self->chain)
    memcpy(self->mass, ink_cell_chain_mass(self->chain), (size_t)self->mesh->cells * sizeof *self->mass);
  else if (self->compares)
    PetscCall(gather_masses(self));
  fill_densities(self);
  self->counted = true;
  PetscFunctionReturn(0);
}

PetscErrorCode ink_particles_marginals(const InkParticles *self, int axis, double **counts, double **mass) {
  PetscFunctionBeginUser;
  const InkMesh *mesh = self->mesh;
  int64_t apart = 1;
  for (int a = 0; a < axis; a++) apart *= mesh->axis[a].cells;
  const int64_t n = mesh->axis[axis].cells;
  PetscCall(PetscCalloc1((size_t)n, counts));
  PetscCall(PetscCalloc1((size_t)n, mass));
  for (int64_t c = 0; c < mesh->cells; c++) {
    const int64_t at = c / apart % n;
    (*counts)[at] += (double)self->counts[c];
    (*mass)[at] += self->mass[c];
  }
  PetscFunctionReturn(0);
}

/* ", Wasserstein-1 in x 0.0011, Kolmogorov-Smirnov in x p = 0.37" of one state. */
static PetscErrorCode compare_along(const InkParticles *self, int axis, char *text, size_t size) {
  PetscFunctionBeginUser;
  const InkAxis *along = &self->mesh->axis[axis];
  double *counts, *mass, p_value;
  PetscCall(ink_particles_marginals(self, axis, &counts, &mass));
  const double far = ink_distance_wasserstein(along->cells, counts, mass, along->face);
  (void)ink_distance_kolmogorov_smirnov(along->cells, counts, mass, &p_value);
  (void)snprintf(text, size, ", Wasserstein-1 in %s %.3g, Kolmogorov-Smirnov in %s p = %.2g", along->name,
                 far, along->name, p_value);
  PetscCall(PetscFree(counts));
  PetscCall(PetscFree(mass));
  PetscFunctionReturn(0);
}

PetscErrorCode ink_particles_compare(InkParticles *self, char *text, size_t size) {
  PetscFunctionBeginUser;
  const int64_t cells = self->mesh->cells, all = self->ensemble->count;
  double chance;
  text[0] = '\0';
  if (!self->compares) PetscFunctionReturn(0);
  PetscCall(ink_particles_count(self));
  const double variation = ink_distance_total_variation(cells, self->counts, all, self->mass, &chance);
  const InkChiSquared chi = ink_chi_squared(cells, self->counts, all, self->mass);
  (void)snprintf(text, size,
                 "%.6g particles against the density at t = %.6g%s: total variation %.3g (%.3g by chance), "
                 "chi-squared %.4g on %.0f degrees of freedom (p = %.2g)",
                 (double)all, ink_particles_forward_time(self), ink_deck_seconds(self->deck), variation,
                 chance, chi.statistic, chi.freedom, chi.p_value);
  for (int a = 0; a < self->mesh->dim; a++) {
    const size_t used = strlen(text);
    PetscCall(compare_along(self, a, text + used, size - used));
  }
  PetscFunctionReturn(0);
}
