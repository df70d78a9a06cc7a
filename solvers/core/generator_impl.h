/* Shared between the files of the generator; not for others.
 *
 *   generator.c          making it, its programs and geometry, bringing it to a time
 *   generator_axes.c     edges along the axes: Scharfetter-Gummel rates
 *   generator_law.c      beside walls at which the density grows without bound
 *   generator_legs.c     Selling's decomposition in each cell
 *   generator_far.c      edges along its offsets
 *   generator_wall.c     what reflecting walls cut off of them
 *   generator_apply.c    forward, backward, fluxes
 *   generator_system.c   the steppers' system; what the sides have absorbed
 *   generator_fault.c    what makes the process undefined */
#ifndef INK_CORE_GENERATOR_IMPL_H
#define INK_CORE_GENERATOR_IMPL_H

#include "boundary.h"
#include "generator.h"
#include "observe.h"
#include "rates.h"
#include "reduction.h"
#include "wall_law.h"

/* Ghost layers where off-diagonal diffusion couples axes: offsets like (1, 1) end in corners, which only wide
 * meshes exchange. MOVING: where it depends on time, so that it may become thinner than it is at the start.
 */
enum { INK_LEAST_WIDTH = 2, INK_MOVING_WIDTH = 3 };

/* Values of the process along a row of cells: drift b_i at [i], diffusion D_ij at [ink_entry(dim, i, j)]. */
enum { INK_ENTRIES = 9 };
static inline int ink_entry(int dim, int i, int j) {
  const int low = i < j ? i : j, high = i < j ? j : i;
  return dim + low * dim - low * (low - 1) / 2 + (high - low);
}
static inline int ink_entries(int dim) { return dim + dim * (dim + 1) / 2; }

/* Rows of edges or cells along x; each is long enough for a row of local cells, ghosts included. */
typedef struct InkGeneratorRows {
  double *drift[2], *diffusion[2], *low, *high, *distance, *area;
  double *entry[INK_ENTRIES];
} InkGeneratorRows;

/* A direction of a cell's decomposition: rate `weight` B(-+z) along +-offset. */
typedef struct InkLeg {
  int direction;
  double weight, z;
} InkLeg;
typedef struct InkLegs {
  int count;
  InkLeg leg[INK_SELLING_MAX];
  double rest[3]; /* cells per time, carried upwind */
  double
      slope[3]; /* z of a unit step along each axis; NaN where the directions do not span the coupled axes */
} InkLegs;

struct InkGeneratorParts {
  char name[3][64];
  bool coupled[3]; /* axes that off-diagonal diffusion couples: their edges come from the decomposition */
  bool absorbs[INK_SIDES];
  bool far;                      /* some are */
  bool drifts;                   /* some drift is given */
  InkProgram *edge[3];           /* b_a and D_aa; NULL on coupled axes */
  InkProgram *centre[3];         /* D_aa */
  InkProgram *all;               /* every b_i and D_ij */
  bool edge_moves[3], far_moves; /* they depend on t */
  double time;
  int radius;      /* largest component of an offset */
  int16_t *number; /* direction of an offset's key; -1: none */

  /* Local index from -width to count + width - 1: the place of the centroid, that of its image within the
   * domain on periodic axes (beyond a wall: of the last cell). */
  double *at[3];
  /* Of the edge between local cells i and i + 1, i from -1 to count - 1: the Gauss points and the distance;
   * at a wall, of the way from the centroid to the wall. */
  double *gauss[3][2], *distance[3];
  InkWallLaw law[INK_SIDES];
  double *inverse; /* 1 / width of the owned cells along x */
  InkGeneratorRows rows;
  double *lines; /* what holds them all */
  InkLegs *legs; /* of all local cells, ghosts included */

  double limit; /* monotone step at `limit_time`; 0: not known */
  double limit_time;
  int depth[INK_SIDES];     /* layers of cells from which the side absorbs */
  double *taken[INK_SIDES]; /* [layer][cells of the side]: what it has absorbed */
  InkReach reach;
};

static inline int64_t ink_local(const InkMesh *mesh, int64_t i, int64_t j, int64_t k) {
  return mesh->origin + i + j * mesh->stride[1] + k * mesh->stride[2];
}
/* Does the edge between local cells i and i + 1 cross a wall? */
static inline bool ink_is_wall(const InkMesh *mesh, int axis, int64_t i) {
  const int64_t edge = mesh->start[axis] + i + 1;
  return !mesh->axis[axis].periodic && (edge == 0 || edge == mesh->axis[axis].cells);
}
/* Does this rank own cells at the side? */
static inline bool ink_touches(const InkMesh *mesh, int side) {
  const int a = side / 2;
  return a < mesh->dim && mesh->at[a] == (side % 2 ? mesh->ranks[a] - 1 : 0);
}

/* generator.c: runs a program over n places of a row. */
void ink_generator_run(const InkProgram *program, int64_t n, const double *x, double y, double z, double t,
                       double *const out[]);
/* Local row (j, k) of cells from local index `first`, n of them, into rows.entry. */
void ink_generator_cells(const InkGenerator *generator, double t, int64_t first, int64_t n, int64_t j,
                         int64_t k);

/* generator_axes.c */
/* b and D at the Gauss points (p = 0, 1) of a row of edges along `axis` into rows.drift, rows.diffusion.
 * Along x: the n edges from `first` on in row (j, k). Else: edge number `edge` of the n cells from `first`
 * on. */
typedef struct InkEdgeSpan {
  int axis;
  int64_t first, n, at[3]; /* at[axis]: number of the edge, unless the axis is 0; others: of the cells */
} InkEdgeSpan;
void ink_generator_edges(const InkGenerator *generator, double t, const InkEdgeSpan *span);
void ink_generator_axis(InkGenerator *generator, int axis, double t);

/* generator_law.c: the geometry, once; and what the cells' means make of the rates along an axis at time t.
 */
void ink_generator_set_laws(InkGenerator *generator);
void ink_generator_laws(InkGenerator *generator, int axis, double t);

/* generator_wall.c: what edges along a reflecting wall carry instead of those that it cuts off. Indices are
 * those of the coupled axes and of the decomposition's directions e, turned so that e_normal > 0. */
typedef struct InkWall {
  int normal;
  double S[3][3], D; /* diffusion along the wall; across it */
  double part[INK_SELLING_MAX][3];
  int across[INK_SELLING_MAX]; /* e_normal, with the sign it has before turning; 0: not cut off */
} InkWall;
/* False: nothing is cut off. Pure. */
bool ink_generator_wall(int dim, const InkSelling *selling, int normal, InkWall *wall);

/* generator_legs.c. Offsets "among the coupled axes" have these axes' components only, in their order. */
typedef struct InkSplitter {
  const InkGenerator *generator;
  int dim, axis[3], radius; /* the coupled axes; the largest component of an offset */
  double width[3];          /* of their cells */
  double D[3][3];           /* the last matrix and its decomposition: the next may be the same */
  bool known, good;
  InkSelling selling;
} InkSplitter;
InkSplitter ink_splitter_of(const InkGenerator *generator, int radius);
/* The legs of place i of rows.entry. */
void ink_splitter_legs(InkSplitter *splitter, int64_t i, InkLegs *legs);
/* The directions along a wall, among the coupled axes. */
bool ink_splitter_wall(const InkSplitter *splitter, const InkWall *wall, InkSelling *along);
/* An offset among the coupled axes as one of the mesh; its direction's number. */
void ink_splitter_spread(const InkSplitter *splitter, const int among[3], int e[3]);
int ink_splitter_direction(const InkSplitter *splitter, const int among[3]);
/* The directions of the decomposition: those of all cells at time t or, where it depends on t, all there can
 * be. The same on all ranks. */
PetscErrorCode ink_generator_directions(InkGenerator *generator, double t);
/* Ghost layers that the offsets of the owned cells need. */
int ink_generator_longest(const InkGenerator *generator, double t);
/* Does the side reflect, and does the cell with that local index along its axis lie beside it? */
static inline bool ink_reflects(const InkGenerator *generator, int side, int64_t at) {
  const InkMesh *mesh = generator->mesh;
  const InkAxis *axis = &mesh->axis[side / 2];
  return !axis->periodic && !generator->parts->absorbs[side] &&
         mesh->start[side / 2] + at == (side % 2 ? axis->cells - 1 : 0);
}

/* generator_far.c */
PetscErrorCode ink_generator_far(InkGenerator *generator, double t);

/* generator_apply.c: dt NULL: g = flow; else g = p + dt / volume * flow. Ghosts of p are filled. */
void ink_generator_flow(const InkGenerator *generator, const double *dt, const double *p, double *g);
/* What leaves each cell per density, into out. */
void ink_generator_leaving(const InkGenerator *generator, double *out);

/* generator_fault.c: see InkSystem.fault. */
PetscErrorCode ink_generator_fault(const InkGenerator *generator, double t, char *text, size_t size);

/* generator_system.c */
PetscErrorCode ink_generator_take(InkGenerator *generator);
#endif
