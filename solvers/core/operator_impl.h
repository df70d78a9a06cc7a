/* Shared between the files of the diffusion operator; not for others. */
#ifndef INK_CORE_OPERATOR_IMPL_H
#define INK_CORE_OPERATOR_IMPL_H

#include "explicit_kernel.h"
#include "observe.h"
#include "operator.h"
#include "reduction.h"

/* How the two cells of a face are averaged. */
typedef enum InkMean {
  INK_MEAN_POSITION, /* k(x,t): harmonic */
  INK_MEAN_STATE,    /* k(u): arithmetic */
  INK_MEAN_BOTH      /* k(x,u): arithmetic in u, then harmonic in x */
} InkMean;

/* What values a coefficient may have. Others are turned into NaN, which ends the run with a failure that
 * names the cell: a negative conductivity or capacity has no solution to find. Not negative: more than a
 * hundredth of the largest at the start below 0, as the foot of a degenerate front may undershoot a little.
 */
typedef enum InkSign { INK_ANY_SIGN, INK_NOT_NEGATIVE, INK_POSITIVE } InkSign;

/* A coefficient of the equation: its programs and where its values lie. */
typedef struct InkCoefficient {
  uint64_t variables;
  bool state, moving, constant; /* depends on u; on t or u; is one number */
  double number;                /* when constant */
  InkSign sign;
  double scale;             /* largest magnitude at the first evaluation, over all ranks; 0: not known */
  InkProgram *value, *both; /* e; e and de/du */
  bool known;               /* values hold the static coefficient */
  double *values, *slopes;  /* padded arrays, made when first needed */
} InkCoefficient;

struct InkDiffusion {
  const InkMesh *mesh;
  const char *field;
  InkCoefficient k, c, s; /* s.value NULL: no source */
  bool source_slope_nonpositive, affine_source, constant_source_slope;
  InkMean mean;
  InkClosure *closure[INK_SIDES];

  /* Separable geometry, local index from -1 to count (pointers are shifted by one). */
  double *to_lower[3], *to_upper[3]; /* centroid to the lower and upper face */
  double *face_area[3];              /* area factor of the lower face; 0 at a wall */
  /* Weights for constant coefficients, local index 0 to count - 1: area / (distance volume). */
  double *lower[3], *upper[3];

  double *near_k[3][2], *near_slope[3][2]; /* k(x_i, u_neighbour), only INK_MEAN_BOTH */
  double *face[3];                         /* conductances; face[a] at a cell is its lower face along a */
  bool faces_known;
  double *mass, *work; /* V c; scratch */
  bool mass_known;
  double weight_dt, *row_lower, *row_upper; /* dt k/c times the weights of axis 0 */

  double limit; /* cached Gershgorin limit of a constant problem; 0: not known */

  /* budget */
  double *inflow[INK_SIDES];
  double *sourced;      /* accumulated V s; NULL while the source is static */
  double source_weight; /* sum of the weights, when it is */
  double *start_state;  /* when c depends on u */
  double start_content, start_scale;
};

static inline int64_t ink_cell(const InkMesh *mesh, int64_t i, int64_t j, int64_t k) {
  return mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
}
static inline int64_t ink_step(const InkMesh *mesh, int axis) { return axis == 0 ? 1 : mesh->stride[axis]; }

/* operator_coefficients.c */
bool ink_coefficient_create(InkCoefficient *coefficient, const InkExpr *e, InkPool *pool, char *message,
                            size_t size);
void ink_coefficient_destroy(InkCoefficient *coefficient);
PetscErrorCode ink_coefficient_update(const InkMesh *mesh, InkCoefficient *coefficient, bool slopes, double t,
                                      const double *u);
PetscErrorCode ink_operator_mass(InkDiffusion *diffusion, double t, const double *u);
/* The conductances (and slopes of k) at (t,u), whose ghosts are filled. */
PetscErrorCode ink_operator_faces(InkDiffusion *diffusion, bool slopes, double t, const double *u);

/* The effective conductivities of a face and what they depend on. */
typedef struct InkFace {
  double conductance;  /* G */
  double lower, upper; /* dG/du of the cell below and above the face */
} InkFace;
/* The lower face along `axis` of local cell (i,j,k), with derivatives; after ink_operator_faces with slopes.
 */
InkFace ink_operator_face(const InkDiffusion *diffusion, int axis, int64_t i, int64_t j, int64_t k);

/* operator_rhs.c */
PetscErrorCode ink_operator_rhs(void *context, double t, double *u, double *g);
PetscErrorCode ink_operator_capacity(void *context, double t, const double *u, double *m);
PetscErrorCode ink_operator_capacity_slope(void *context, double t, const double *u, double *dm);
PetscErrorCode ink_operator_jacobian(void *context, double t, double *u, InkStencil *stencil);
/* operator_explicit.c */
PetscErrorCode ink_operator_monotone_step(void *context, double t, double *u, double *dt);
PetscErrorCode ink_operator_explicit_step(void *context, double t, double dt, double *u, double *next);
bool ink_operator_is_separable(const InkDiffusion *diffusion); /* k and c are numbers */
/* operator_budget.c */
PetscErrorCode ink_operator_accumulate(void *context, double weight, double t, double *u);
/* Adds weight times the closures' inflow (as evaluated last) and the source (as evaluated last). */
PetscErrorCode ink_operator_accumulate_evaluated(InkDiffusion *diffusion, double weight);

#endif
