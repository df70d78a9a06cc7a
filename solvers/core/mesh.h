/* Structured meshes of one to three axes, their domain decomposition and halo exchange.
 *
 * Finite volumes with separable metrics: the volume of cell (i,j,k) is volume[0][i] * volume[1][j] *
 * volume[2][k], the area of a face normal to axis d is area[d][face] times the volumes of the other axes.
 * Cartesian: volume = width, area = 1. Cylindrical r: volume = pi (r2^2 - r1^2), area = 2 pi r (per metre of
 * length). Spherical r: volume = 4 pi/3 (r2^3 - r1^3), area = 4 pi r^2. Axisymmetric (r, z): cylindrical r
 * times Cartesian z. Values live at the cells' centroids.
 */
#ifndef INK_CORE_MESH_H
#define INK_CORE_MESH_H

#include <mpi.h>
#include <petscsys.h>
#include "../../io/deck.h"
#include "../../io/snapshot.h"

typedef enum InkCoordinates {
  INK_CARTESIAN,
  INK_CYLINDRICAL, /* r */
  INK_SPHERICAL,   /* r */
  INK_AXISYMMETRIC /* r, z: axis[0] is r with cylindrical metrics, axis[1] is z */
} InkCoordinates;

/* A stretch of an axis up to `to`, in cells whose neighbouring widths have the ratio `grading`. */
typedef struct InkAxisSegment {
  double to;
  int64_t cells;
  double grading; /* 0 is taken as 1 */
} InkAxisSegment;

/* What an axis is made from. With segments, `to`, `cells` and `grading` are not read. */
typedef struct InkAxisSpec {
  const char *name; /* NULL: x, y, z or r, by the place among the axes and the coordinates */
  const char *unit; /* SI unit of the coordinate, "1" when it has none; NULL: "m" */
  double from, to;
  int64_t cells;
  double grading; /* 0 is taken as 1: equal widths */
  bool periodic;
  int segments;                  /* 0: one stretch from `from` to `to` */
  const InkAxisSegment *segment; /* [segments] */
} InkAxisSpec;

typedef struct InkAxis {
  const char *name;    /* "x", "r", "V"; owned */
  const char *side[2]; /* "V_min", "V_max"; owned */
  const char *unit;    /* "m"; of a state variable its SI unit, "1" when none is known; owned */
  int variable;        /* INK_VAR_X, ...: of state variables by their order */
  int64_t cells;       /* global */
  double from, to;
  bool uniform; /* all widths equal */
  bool periodic;
  bool has_min;     /* false: r.from is 0, there is no side at `from` */
  double *face;     /* [cells + 1] */
  double *centroid; /* [cells] */
  double *volume;   /* [cells] factor of the cell volume */
  double *area;     /* [cells + 1] factor of the face area */
} InkAxis;

typedef struct InkMesh {
  MPI_Comm comm;
  int dim;
  InkCoordinates coordinates;
  InkAxis axis[3];     /* [0] x or r, [1] y, [2] z, or the state variables in the order of the deck; unused
                          axes have one cell, volume 1, no halo */
  int width;           /* layers of ghost cells on each side of each axis in use: 1, or more in wide meshes */
  int64_t cells;       /* global */
  int ranks[3], at[3]; /* the process grid and this rank's place in it */
  int neighbour[3][2]; /* rank below and above along each axis; MPI_PROC_NULL at a wall */
  int64_t start[3];    /* first owned cell */
  int64_t count[3];    /* owned cells */
  /* Local arrays: `width` ghost cells on each side of each axis in use; x fastest; rows (their first owned
   * cell) start on 64-byte boundaries and are padded. Cell (i,j,k), each from -width to count + width - 1, is
   * at origin + i + j * stride[1] + k * stride[2]. */
  int64_t origin, stride[3], size; /* size: doubles to allocate */
  struct InkHalo *halo;            /* buffers and datatypes of ink_mesh_exchange */
} InkMesh;

/* Deck checks of the domain, the section mesh or the state variables of a model (rank 0): axes, order,
 * grading ratio, periodic pairs, size. */
void ink_mesh_check(const InkDeck *deck, int ranks, InkErrors *errors);
/* The same for a mesh with `width` layers of ghost cells. */
void ink_mesh_check_wide(const InkDeck *deck, int ranks, int width, InkErrors *errors);
/* What a deck says of its mesh, without making it (rank 0 or any; no MPI). Wrong or absent keys give
 * defaults: Cartesian, and the axes that are there. */
InkCoordinates ink_deck_coordinates(const InkDeck *deck);
/* The axes of the deck's domain, those of the section mesh or the state variables (dim and unit are set for
 * these only); returns how many. Not owned. */
int ink_deck_axes(const InkDeck *deck, const InkDomainAxis **axes);
int ink_deck_dimension(const InkDeck *deck);
/* Does the deck say what its domain is? If not, the solver does: there are no cells to refine and no laws of
 * sides. */
bool ink_deck_has_domain(const InkDeck *deck);
/* The sections that say what the domain is and what happens at its sides: "mesh" and "boundary", or
 * "model.state" and "model.boundary". */
const char *ink_deck_domain(const InkDeck *deck);
const char *ink_deck_boundary(const InkDeck *deck);
/* Names of the sides of the deck's domain, by side number; "" where there is none. */
void ink_deck_sides(const InkDeck *deck, const char *names[]);
/* Is a side's law, for all fields, periodic? (boundary.SIDE.type, or model.boundary.SIDE.) */
bool ink_deck_side_is_periodic(const InkDeck *deck, const char *side);
/* The axis of that name ("x", "r", "V"): 0 to dim - 1, or -1. */
int ink_deck_axis(const InkDeck *deck, const char *name);
/* Powers of a metre that the integral over a side (metres of depth not counted) and over the volume have: in
 * 1-D Cartesian 0 and 1, in spherical 2 and 3. */
int ink_deck_side_metres(const InkDeck *deck);
int ink_deck_volume_metres(const InkDeck *deck);
/* Makes the mesh of a good deck. Collective. When there are more ranks than can get a cell, the failure says
 * so (INK_USAGE) on all ranks and *mesh is NULL. */
PetscErrorCode ink_mesh_create(MPI_Comm comm, const InkDeck *deck, InkMesh **mesh, InkFailure *failure);
/* The same with `width` layers of ghost cells, for stencils that reach further than the next cell; every rank
 * gets at least `width` cells along each axis. With width > 1 the exchange fills the ghosts of edges and
 * corners too. */
PetscErrorCode ink_mesh_create_wide(MPI_Comm comm, const InkDeck *deck, int width, InkMesh **mesh,
                                    InkFailure *failure);
/* The same without a deck: `dim` axes in the order x, y, z (Cartesian), or the one axis r. Collective. */
PetscErrorCode ink_mesh_build(MPI_Comm comm, const InkAxisSpec spec[], int dim, InkCoordinates coordinates,
                              InkMesh **mesh, InkFailure *failure);
PetscErrorCode ink_mesh_build_wide(MPI_Comm comm, const InkAxisSpec spec[], int dim,
                                   InkCoordinates coordinates, int width, InkMesh **mesh,
                                   InkFailure *failure);
PetscErrorCode ink_mesh_destroy(InkMesh **mesh);

PetscErrorCode ink_mesh_array(const InkMesh *mesh,
                              double **values); /* zeroed, 64-byte aligned; free with ink_mesh_free */
/* The same for n fields, one after the other: field f is at values + f * mesh->size. This is the layout of
 * the state of an equation of several fields everywhere (operator, closures, steppers, linear solvers). */
PetscErrorCode ink_mesh_fields(const InkMesh *mesh, int n, double **values);
void ink_mesh_free(double **values);
/* How far apart in a local array two cells are whose indices differ by `offset`. */
static inline int64_t ink_mesh_jump(const InkMesh *mesh, const int offset[3]) {
  return offset[0] + offset[1] * mesh->stride[1] + offset[2] * mesh->stride[2];
}
static inline double *ink_mesh_first(const InkMesh *mesh, double *values) { return values + mesh->origin; }

/* Fills the ghost cells between ranks and across periodic ends; those beyond walls are left alone.
 * Collective. With width 1 faces only; a wide mesh has its edges and corners filled too, but where they lie
 * beyond a wall. */
PetscErrorCode ink_mesh_exchange(const InkMesh *mesh, double *values);
/* The same for the n fields of ink_mesh_fields. */
PetscErrorCode ink_mesh_exchange_fields(const InkMesh *mesh, int n, double *values);

/* "cell (3, 0) at x = 0.1 m, y = 0 m" for messages: a global cell index and its centroid, with the unit of
 * each axis that has one. */
void ink_mesh_place(const InkMesh *mesh, const int64_t index[], const double at[], char *text, size_t size);

double ink_mesh_volume(const InkMesh *mesh, int64_t i, int64_t j,
                       int64_t k); /* of an owned cell, local indices */
/* The grid as the writers see it (axes in storage order); pointers stay owned by the mesh. */
void ink_mesh_grid(const InkMesh *mesh, const InkDeck *deck, InkGrid *grid);

/* Faces of the cells: widths for one axis from `from` to `to` with `grading` = ratio of neighbouring widths.
 * Pure. face[cells+1] is filled; the ends are exact. */
void ink_axis_faces(double from, double to, int64_t cells, double grading, double *face);

/* Makes one axis: faces, centroids and metric factors. Local; needs no MPI. variable: INK_VAR_X, ...; gives
 * the name where spec->name is NULL. */
PetscErrorCode ink_axis_create(const InkAxisSpec *spec, int variable, InkCoordinates coordinates,
                               InkAxis *axis);
void ink_axis_destroy(InkAxis *axis);
/* Largest over smallest width of a specification, without making the axis. Pure. */
double ink_axis_width_ratio(const InkAxisSpec *spec);

/* The process grid for `ranks` ranks: of all factorisations that give every rank `least` cells along each
 * axis (also the layers that are exchanged; 1 or more), the one whose largest part costs least (its cells,
 * plus the cells it exchanges; faces normal to x count double, as they are strided and shorten the rows).
 * False when there is none. Pure and deterministic. */
bool ink_decompose(int ranks, int dim, const int64_t cells[3], int64_t least, int grid[3]);
/* Largest usable number <= ranks; 0 when not even one is. */
int ink_decompose_most(int ranks, int dim, const int64_t cells[3], int64_t least);
/* Cells start[part] .. start + count of `cells` cut in `parts`; the first parts get the remainder. Pure. */
void ink_decompose_part(int64_t cells, int parts, int part, int64_t *start, int64_t *count);

/* Sides. Numbered 2 * axis + end (0 min, 1 max). */
enum { INK_SIDES = 6 };
const char *ink_side_name(const InkMesh *mesh, int side); /* "x_min" */
/* True when the side exists as a wall of the domain (in use, not periodic, not the axis r = 0). */
bool ink_side_exists(const InkMesh *mesh, int side);
/* Owned boundary cells of a side: 0 when this rank does not touch it. They are ordered x fastest over the two
 * other axes. */
int64_t ink_side_count(const InkMesh *mesh, int side);
/* The box of a side's cells as a global array of the other axes (for checkpoints). */
void ink_side_box(const InkMesh *mesh, int side, InkBox *box);
void ink_mesh_box(const InkMesh *mesh, InkBox *box); /* the box of a field, strides in memory included */
#endif
