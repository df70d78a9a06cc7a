/* Shared between the files of the operator; not for others.
 *
 *   operator.c               making it, geometry
 *   operator_system.c        what kind of system it is; plans
 *   operator_coefficients.c  k, c as arrays in cells, V c
 *   operator_faces.c         conductances, Scharfetter-Gummel coefficients, their derivatives
 *   operator_reactions.c     R and its slopes, part of a row by part of a row
 *   operator_rhs.c operator_jacobian.c operator_explicit.c operator_limits.c operator_split.c
 *   operator_budget.c operator_fault.c */
#ifndef INK_CORE_OPERATOR_IMPL_H
#define INK_CORE_OPERATOR_IMPL_H

#include "explicit_kernel.h"
#include "observe.h"
#include "operator.h"
#include "part.h"
#include "reduction.h"
#include "transform.h"

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
  bool given; /* false: k is 0, c is 1 */
  uint64_t variables;
  bool state, moving, constant; /* depends on the fields; on them or t; is one number */
  double number;                /* when constant; NaN when it is of the wrong sign */
  InkSign sign;
  double scale;             /* largest magnitude at the first evaluation, over all ranks; 0: not known */
  int slopes;               /* how many fields it depends on */
  int *field;               /* [slopes] which */
  InkProgram *value, *both; /* e; e and its slopes. both is NULL without slopes */
  bool known;               /* values hold the static coefficient */
  double *values;           /* padded array, made when first needed */
  double *slope;            /* [slopes] padded arrays */
} InkCoefficient;

/* Cross-diffusion: what the gradient of another field carries. */
typedef struct InkCross {
  int of; /* the other field */
  InkCoefficient k;
  double *face[3]; /* conductances */
  bool known;
} InkCross;

/* One field's part of the operator. */
typedef struct InkOperatorField {
  bool mobile; /* its own k is given */
  bool simple; /* k and c are numbers, nothing else carries it: weights instead of conductances */
  InkCoefficient k, c;
  InkMean mean;
  int crosses;
  InkCross *cross;                         /* [crosses] */
  double *near_k[3][2], *near_slope[3][2]; /* k(x_i, u_neighbour), [slopes] slopes; only INK_MEAN_BOTH */
  /* Flow from the cell below a face to the one above: forward u_below - backward u_above, conductances
   * included; at a cell, its lower face along the axis. Without velocity they are one array. */
  double *forward[3], *backward[3];
  bool faces_known;
  double *mass; /* V c */
  bool mass_known;
  double weight_dt, *row_lower, *row_upper; /* dt k/c times the weights of axis 0 */
} InkOperatorField;

typedef struct InkVelocity {
  InkProgram *program[3]; /* NULL: none along this axis */
  bool any, moving;
  uint64_t variables;
  double *face[3]; /* at a cell: through its lower face */
  bool known;
} InkVelocity;

/* Source terms, evaluated together so that what they share is computed once. */
typedef struct InkReactions {
  bool *given, *moving; /* [n] there is one; it depends on t or the fields */
  uint64_t variables;
  int fixed, moved;         /* how many of each */
  int *fixed_of, *moved_of; /* their fields */
  InkProgram *fixed_value, *moved_value;
  double **values; /* [n] padded arrays of the static ones, evaluated once; NULL else */
  bool known;
  int slopes;        /* derivatives that are not zero */
  int *row, *column; /* [slopes] dR_row/du_column */
  InkProgram *slope;
  int own;     /* those with row = column */
  int *own_of; /* [own] */
  InkProgram *own_slope;
  bool affine;          /* no slope depends on the fields */
  bool constant_slopes; /* nor on t */
  bool nonpositive;     /* every slope is a number and not above 0 */
  const double **now;   /* [n] R of a part of a row, as evaluated last; NULL: none */
  double *buffer;       /* [max(moved, slopes)] parts of a row */
} InkReactions;

struct InkDiffusion {
  const InkMesh *mesh;
  int n;
  const char *const *name;
  InkOperatorField *field; /* [n] */
  InkVelocity velocity;
  InkReactions reactions;
  InkClosure *closure[INK_SIDES];
  bool open[INK_SIDES];  /* something may pass; a closed side has a closure only for its surface values */
  InkCoupling *coupling; /* [n * n] */
  bool budget;

  /* Separable geometry, local index from -1 to count (pointers are shifted by one). */
  double *to_lower[3], *to_upper[3]; /* centroid to the lower and upper face */
  double *face_area[3];              /* area factor of the lower face; 0 at a wall */
  /* Weights for constant coefficients, local index 0 to count - 1: area / (distance volume). */
  double *lower[3], *upper[3];
  double *zeros;      /* a row of them: coordinates that this mesh does not have */
  double *flow;       /* part of a row */
  double *face_lines; /* five rows of faces: areas, distances and conductivities below and above */
  double *work;       /* padded array, scratch */

  double limit; /* cached step limit where it is steady; 0: not known */

  int transforms; /* split form */
  InkTransform **transform;
  int *transform_of; /* [n] */

  /* budget */
  double *inflow[INK_SIDES];           /* [n * count] */
  double **sourced;                    /* [n] accumulated V R; NULL where it is static or not kept */
  double source_weight;                /* sum of the weights, for the static ones */
  double *start_state;                 /* when a c depends on the fields */
  double *start_content, *start_scale; /* [n] */
};

static inline int64_t ink_cell(const InkMesh *mesh, int64_t i, int64_t j, int64_t k) {
  return mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
}
static inline int64_t ink_step(const InkMesh *mesh, int axis) { return axis == 0 ? 1 : mesh->stride[axis]; }

/* to[i] += weight * (V_i r[i]) over a part; r and to begin at its first cell. */
static inline void ink_part_add(const InkMesh *mesh, const InkPart *part, double weight,
                                const double *restrict r, double *restrict to) {
  const double *restrict width = mesh->axis[0].volume + mesh->start[0] + part->at[0];
  const double depth = mesh->axis[1].volume[mesh->start[1] + part->at[1]];
  const double height = mesh->axis[2].volume[mesh->start[2] + part->at[2]];
  for (int64_t i = 0; i < part->n; i++) to[i] += weight * (width[i] * depth * height * r[i]);
}

/* operator.c */
double *ink_operator_line(int64_t count); /* zeroed, 64-byte aligned; free() it */
PetscErrorCode ink_operator_need(const InkMesh *mesh, int n, double **values); /* makes it when it is NULL */

/* operator_coefficients.c */
bool ink_coefficient_create(InkCoefficient *coefficient, const InkExpr *e, int n, InkSign sign, InkPool *pool,
                            char *message, size_t size);
void ink_coefficient_destroy(InkCoefficient *coefficient);
/* Where the variables of a part's first cell lie, for ink_program_run. */
void ink_operator_inputs(const InkDiffusion *diffusion, const double *t, const double *u, const InkPart *part,
                         const double *in[INK_VARS]);
/* Runs a program over the owned cells; out: padded arrays. */
void ink_operator_evaluate(const InkDiffusion *diffusion, const InkProgram *program, double t,
                           const double *u, double *const out[]);
PetscErrorCode ink_coefficient_update(const InkDiffusion *diffusion, InkCoefficient *coefficient, bool slopes,
                                      double t, const double *u);
void ink_coefficient_refuse(const InkMesh *mesh, const InkCoefficient *coefficient, double *values);
PetscErrorCode ink_operator_mass(InkDiffusion *diffusion, int field, double t, const double *u);
/* V c of a boundary cell: face number `face` of a side. */
double ink_operator_side_mass(const InkDiffusion *diffusion, int field, int side, int64_t face, int64_t cell);

/* operator_faces.c */
/* Conductances and carried coefficients of all faces at (t,u), whose ghosts are filled; with `slopes` also
 * what their derivatives need. */
PetscErrorCode ink_operator_faces(InkDiffusion *diffusion, int field, bool slopes, double t, const double *u);
typedef struct InkGeometry {
  double area, below, above; /* of a face; distances of the cells' centroids to it */
} InkGeometry;
static inline InkGeometry ink_operator_geometry(const InkDiffusion *diffusion, int axis,
                                                const int64_t at[3]) {
  const InkMesh *mesh = diffusion->mesh;
  InkGeometry g = {.area = diffusion->face_area[axis][at[axis]],
                   .below = diffusion->to_upper[axis][at[axis] - 1],
                   .above = diffusion->to_lower[axis][at[axis]]};
  for (int a = 0; a < 3; a++)
    if (a != axis) g.area *= mesh->axis[a].volume[mesh->start[a] + at[a]];
  return g;
}
/* Derivatives of a field's own flow through the lower face along `axis` of cell `at` by k, through field
 * number `slope` of the coefficient's list, in the cells below and above. After ink_operator_faces with
 * slopes. */
typedef struct InkFaceSlopes {
  double below, above;
} InkFaceSlopes;
InkFaceSlopes ink_operator_flow_slopes(const InkDiffusion *diffusion, int field, int axis,
                                       const int64_t at[3], int slope, const double *u);
/* The net inflow of a part's cells through their faces into diffusion->flow: carried and crossed. */
void ink_operator_flow(const InkDiffusion *diffusion, int field, const InkPart *part, const double *u);

/* operator_reactions.c */
bool ink_reactions_create(InkDiffusion *diffusion, const InkExpr *const *source, InkPool *pool, char *message,
                          size_t size);
void ink_reactions_destroy(InkReactions *reactions, int n);
/* Evaluates the static ones, once. */
PetscErrorCode ink_reactions_prepare(InkDiffusion *diffusion);
/* R of a part into reactions->now. After ink_reactions_prepare. */
void ink_reactions_part(InkDiffusion *diffusion, double t, const double *u, const InkPart *part);
/* All slopes of a part into reactions->buffer, INK_PART apart; or those of fields by themselves. */
void ink_reactions_slopes(InkDiffusion *diffusion, bool own, double t, const double *u, const InkPart *part);

/* operator_system.c */
void ink_operator_couple(InkDiffusion *diffusion);
bool ink_operator_splits(const InkDiffusion *diffusion);
bool ink_operator_steady_bound(const InkDiffusion *diffusion);

/* operator_rhs.c, operator_jacobian.c */
PetscErrorCode ink_operator_rhs(void *context, double t, double *u, double *g);
PetscErrorCode ink_operator_capacity(void *context, double t, const double *u, double *m);
PetscErrorCode ink_operator_capacity_slope(void *context, double t, const double *u, double *dm);
PetscErrorCode ink_operator_jacobian(void *context, double t, double *u, InkStencil *stencil);
/* operator_explicit.c, operator_limits.c */
PetscErrorCode ink_operator_monotone_step(void *context, double t, double *u, double *dt);
PetscErrorCode ink_operator_explicit_step(void *context, double t, double dt, bool taken, double *u,
                                          double *next);
/* operator_split.c */
PetscErrorCode ink_operator_split_rest(void *context, double t, double *u, double *f, double *rate);
PetscErrorCode ink_operator_split_solve(void *context, double t, double h, const double *b, double *u);
/* operator_fault.c */
PetscErrorCode ink_operator_fault(void *context, double t, double *u, char *text, size_t size);
/* operator_budget.c */
PetscErrorCode ink_operator_accumulate(void *context, double weight, double t, double *u);
/* Adds weight times the closures' inflow (as evaluated last) and notes it for the static sources. */
void ink_operator_accumulate_sides(InkDiffusion *diffusion, double weight);
/* Adds weight times V R of a part (as evaluated last) where it is kept. */
void ink_operator_accumulate_part(InkDiffusion *diffusion, double weight, const InkPart *part);
/* Makes the arrays for it. */
PetscErrorCode ink_operator_keep_sources(InkDiffusion *diffusion);

#endif
