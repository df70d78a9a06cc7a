/* A diffusion process discretised once, as a Markov generator on the cells of a mesh.
 *
 * Everything is said by flow coefficients >= 0. Through the edge from cell c to cell c + offset[d] flows
 *
 *     up[d][c] p_c - down[d][c] p_(c + offset[d])            (probability per time),
 *
 * and exit[s][c] p_c leaves the domain through the absorbing side s. With V the cells' volumes, q(c -> c') =
 * up/V_c and so on are the rates of the chain, and from the same numbers come
 *
 *     forward     V dp/dt = sum of what flows in           (columns sum to zero: mass is exact)
 *     backward    V dx/dt = sum over edges of coefficient out of c times (x_c' - x_c)   (its transpose)
 *
 * so that sum V x p is constant in time for any p forward and x backward. Edges along the axes have
 * Scharfetter-Gummel rates (rates.h). Where the diffusion matrix has off-diagonal entries, edges run along
 * the integer offsets of its Selling decomposition in each cell: the rate from a cell is that cell's own, and
 * where the cell at the other end has the same direction the two share the mean drift, so that laws with
 * detailed balance keep it. Edges that would leave through a reflecting side are left out, and edges along it
 * carry their share (generator_wall.c); those that leave through an absorbing one become exits with the part
 * of the way that lies inside. All is of second order in the cells' width, but where diffusion along an axis
 * vanishes and drift is carried upwind.
 *
 * A cell's density is that at its centroid to second order. Beside reflecting walls of uncoupled axes towards
 * which it grows without bound, as y^(a-1), 0 < a < 1 (Wright's laws with 2 N u < 1), it is the cell's mean:
 * what flows out of these cells along the axis is divided by wall_law.h's factor, so that masses converge.
 */
#ifndef INK_CORE_GENERATOR_H
#define INK_CORE_GENERATOR_H

#include "mesh.h"
#include "stepping.h"

/* The process in the coordinates of the mesh (Cartesian). Trees of x y z (= the axes in their order) and t.
 */
typedef struct InkProcess {
  int dim;
  const InkExpr *drift[3];        /* Ito; NULL: 0 */
  const InkExpr *diffusion[3][3]; /* D, symmetric; NULL: 0 */
  bool absorbing[INK_SIDES];      /* else reflecting, or periodic as the mesh says */
  const char *name[3];            /* of the axes, for messages */
} InkProcess;

enum { INK_MAX_DIRECTIONS = 128 };

typedef struct InkGenerator {
  const InkMesh *mesh;
  int directions; /* the first dim are the axes */
  int offset[INK_MAX_DIRECTIONS][3];
  double *up[INK_MAX_DIRECTIONS], *down[INK_MAX_DIRECTIONS]; /* arrays of the mesh; also filled where c is a
                     ghost cell and c + offset[d] is owned; 0 where there is no edge */
  double
      *excess[INK_MAX_DIRECTIONS]; /* the same of ink_edge_excess; NULL unless ink_generator_excess made it */
  double *exit[INK_SIDES];         /* arrays of the mesh; NULL where the side does not absorb */
  double *volume;                  /* array of the mesh */
  bool moving;                     /* coefficients depend on t */
  bool conserves;                  /* no side absorbs */
  double added;                    /* largest InkSelling.added so far */
  struct InkGeneratorParts *parts; /* programs, budget */
} InkGenerator;

/* How many layers of ghost cells a mesh needs for the process: 1 without off-diagonal diffusion, else the
 * largest component of the offsets at time t, at least 2 (meshes of width 1 do not exchange corners), at
 * least 3 where it depends on t; less than the cells of the axis that has fewest, so that one rank can always
 * have them (`added` is what that costs). `mesh` may be any with these cells. Collective. failure
 * (INK_NUMERICAL): a diffusion matrix that is not positive semi-definite or not finite, or a drift that is
 * not finite, with the place. */
PetscErrorCode ink_generator_width(const InkMesh *mesh, const InkProcess *process, double t, int *width,
                                   InkFailure *failure);
/* The generator at time t. The mesh, which must be wide enough and uniform along axes that off-diagonal
 * entries couple, must outlive it; the process's trees need not. Directions that only occur later are capped
 * to those within the mesh's width. Collective. */
PetscErrorCode ink_generator_create(const InkMesh *mesh, const InkProcess *process, double t,
                                    InkGenerator **generator, InkFailure *failure);
PetscErrorCode ink_generator_destroy(InkGenerator **generator);
/* wanted: makes `excess`, and keeps it up to date from now on; else frees it. Collective. */
PetscErrorCode ink_generator_excess(InkGenerator *generator, bool wanted);
/* Brings the coefficients to time t, where they depend on it. Collective. */
PetscErrorCode ink_generator_at(InkGenerator *generator, double t);

/* g = what flows into each cell at density p. Fills p's ghosts. Collective. */
PetscErrorCode ink_generator_forward(InkGenerator *generator, double *p, double *g);
/* g = sum over edges and exits out of each cell of coefficient * (value there - x), the value beyond side s
 * being side[s] (NULL: zeros). Fills x's ghosts. Collective. */
PetscErrorCode ink_generator_backward(InkGenerator *generator, double *x, const double side[INK_SIDES],
                                      double *g);
/* What leaves through a side per time at density p: absorbed there, or, on a periodic axis, what crosses the
 * seam in the side's outward direction. Collective, exact sum. */
PetscErrorCode ink_generator_flux(InkGenerator *generator, int side, double *p, double *flux);
/* What the side has absorbed since the start (told by the stepper): 0 where it does not absorb. Collective,
 * exact sum. */
PetscErrorCode ink_generator_absorbed(const InkGenerator *generator, int side, double *absorbed);
/* What has been absorbed, cell by cell, under "/state/absorbed". Collective. */
PetscErrorCode ink_generator_save(const InkGenerator *generator, InkStore *store);
PetscErrorCode ink_generator_load(InkGenerator *generator, InkStore *store);

/* dp/dt as a system of the steppers: linear, non-negative, mass conserved; the monotone step is the largest
 * for which every transition probability is >= 0: 1/max(rate out of a cell). The generator is the context. */
void ink_generator_system(InkGenerator *generator, InkSystem *system);
/* One line on what `added` is, why, and what to do about it; "" where nothing was added. Local. */
void ink_generator_remark(const InkGenerator *generator, char *text, size_t size);
/* Bytes of memory an owned cell, and operations an explicit step and cell, for plans. */
double ink_generator_bytes_per_cell(const InkGenerator *generator);
double ink_generator_operations(const InkGenerator *generator);

/* The generator gathered on rank 0 for elimination.h (arrays owned by the result; counts 0 on other ranks),
 * and the way back. Collective. */
typedef struct InkChain InkChain; /* elimination.h */
PetscErrorCode ink_generator_gather(InkGenerator *generator, InkChain *chain);
PetscErrorCode ink_chain_clear(InkChain *chain);
/* From rank 0's array [cells, x fastest] to the ranks' arrays of the mesh, and back. Collective. */
PetscErrorCode ink_mesh_scatter(const InkMesh *mesh, const double *all, double *values);
PetscErrorCode ink_mesh_gather(const InkMesh *mesh, const double *values, double *all);
#endif
