/* The parts of a closure:
 *
 *   boundary.c            makes it: geometry of the faces, programs of laws and coefficients, arrays
 *   boundary_classify.c   which fields of a side are solved how, and what kind of function q(x,t,u) is
 *   boundary_laws.c       evaluation: parts of the side, coefficients, linear laws in closed form
 *   boundary_newton.c     coupled and nonlinear laws, each face for itself
 *   boundary_single.c     the frequent case of that: one field by itself
 *   boundary_half_cell.c  diffusion and advection through the half cell
 */
#ifndef INK_CORE_BOUNDARY_IMPL_H
#define INK_CORE_BOUNDARY_IMPL_H

#include "boundary.h"

/* How a field is solved on a side. */
typedef enum InkFieldForm {
  INK_FORM_STILL,  /* nothing crosses: q = 0, us = u */
  INK_FORM_LINEAR, /* us and q in closed form, from the own u alone */
  INK_FORM_COUPLED /* us by Newton's method, with the other coupled fields */
} InkFieldForm;

/* One part of a side, for one field. */
typedef struct InkSidePart {
  InkSideType type;
  InkProgram *condition; /* NULL: always true */
  InkProgram *law;       /* the field's data, see InkSideField; NULL: closed */
} InkSidePart;

/* One field on a side. */
typedef struct InkSideField {
  InkFieldForm form;
  bool mobile; /* has a conductivity of its own */
  int parts;
  InkSidePart *part;             /* [parts] */
  bool uniform;                  /* one part, without condition */
  bool choice_moves;             /* a condition depends on t */
  bool data_moves;               /* the data depend on t or the fields */
  bool data_state;               /* the data depend on the fields */
  bool choice_known, data_known; /* what does not move has been evaluated */
  int *choice;                   /* [count] the part that holds at a face; -1: none, closed */
  unsigned char *kind;           /* [count] its InkSideType */
  /* [columns][count]. Linear: value; flux; or coefficient, ambient. Coupled: value, or q as a function of the
   * surface values, then its derivatives with respect to us of the fields field[0..dependences-1]. */
  double *data, *scratch;
  int columns, dependences;
  int *field;
  int conductor;  /* of the own conductivity, an index in conductor[]; -1: none is needed */
  bool followed;  /* a coupled field needs this field's dus/du: */
  double *follow; /* [count] */
} InkSideField;

/* One k_sf on a side, with its derivatives with respect to the fields field[0..dependences-1]. */
typedef struct InkConductor {
  int row, column; /* s, f */
  InkProgram *program;
  bool moves, known; /* depends on t or the fields; has been evaluated */
  int dependences;
  int *field;
  double *cell;    /* [1 + dependences][count] k and dk at the cell's u */
  double *surface; /* the same at the surface values; NULL without dependences */
} InkConductor;

/* Of a face while its surface values are being found. */
typedef enum InkFaceStatus {
  INK_FACE_OPEN,
  INK_FACE_DONE,
  INK_FACE_FAILED,
  INK_FACE_SETTLED /* by the undamped iteration */
} InkFaceStatus;

static const double ink_surface_tolerance = 1e-12; /* of the last step, relative to us and u */

/* The coupled fields of a side and the scratch of their Newton iteration. */
typedef struct InkSurfaceNewton {
  int m;       /* coupled fields; 0: none */
  int *field;  /* [m] */
  int *place;  /* [n] where a field stands in field[]; -1: not coupled */
  bool single; /* one field that depends on itself alone, with one law of flux type: boundary_single.c */
  unsigned char *status;    /* [count] */
  double *base, *step;      /* [m][count] where the last step began, and the step */
  double *scale;            /* [m][count] of the residuals at base */
  double *merit, *fraction; /* [count] of base; part of the step that is being tried */
  /* Of one face: */
  double *residual, *magnitude;           /* [m] R, and the size of its terms */
  double *flow;                           /* [m] through the half cell */
  double *by_surface, *by_cell;           /* [m][n] dR/dus, dR/du */
  double *flow_by_surface, *flow_by_cell; /* [m][n] the same of the flow */
  double *matrix;                         /* [m][m] */
  double *right;                          /* [m][n] */
} InkSurfaceNewton;

struct InkClosureParts {
  InkPool *memory;     /* of all arrays */
  InkSideField *field; /* [n] */
  bool still;          /* all fields are INK_FORM_STILL */
  size_t field_size;   /* doubles of one field in a padded array */
  int conductors;
  InkConductor *conductor; /* [conductors] */
  InkProgram *velocity;    /* along the axis; NULL: none */
  double inwards;          /* its sign into the domain */
  bool velocity_moves, velocity_known;
  double *speed;      /* [count] into the domain */
  double *face_at[4]; /* x y z r of the face centres */
  double *cell_at[4]; /* of the cells */
  double *state;      /* [n][count] u */
  InkSurfaceNewton newton;
};

/* ---- classification ---- */

/* What the expressions of a side say, before anything is compiled. Sets of fields are bit masks. */
typedef struct InkSideUse {
  InkFieldForm form[INK_MAX_FIELDS];
  uint64_t law[INK_MAX_FIELDS];   /* fields whose us the laws of a field use */
  uint64_t cross[INK_MAX_FIELDS]; /* fields f whose k_sf carries something */
} InkSideUse;

/* Which fields are solved how. Pure. */
void ink_side_use(const InkClosureSpec *spec, InkPool *pool, InkSideUse *use);
/* Fills in coupled, law and the flags of the closure. */
void ink_side_classify(InkClosure *closure, const InkClosureSpec *spec, const InkSideUse *use, InkPool *pool);
/* q as a function of the surface values, or the value of a value side; NULL when closed. */
const InkExpr *ink_side_law(InkPool *pool, const InkSideData *data, int field);
/* Is it absent or the number 0? */
bool ink_side_absent(const InkExpr *e);
/* Variables of an expression (NULL: none), and those that are fields, bit f for field f. */
uint64_t ink_side_variables(const InkExpr *e);
uint64_t ink_side_fields(const InkExpr *e);

/* ---- evaluation ---- */

/* Runs a program at all faces, into consecutive columns of `out`. state: [n][count]. */
void ink_side_run(const InkClosure *closure, const InkProgram *program, double *const at[4], double t,
                  const double *state, double *out);
/* A field's data at all faces, from the part that holds at each. surface: [n][count]. */
void ink_side_data(InkClosure *closure, int field, double t, const double *surface);
/* Laws and coefficients that depend on the surface values, at all faces. */
void ink_side_surface_terms(InkClosure *closure, double t);
/* The coupled fields: surface, inflow and slope. The linear ones have been done. */
void ink_side_solve(InkClosure *closure, double t);
/* The single field: us, and then, with the surface terms there, inflow and slope, of the faces that settle.
 */
void ink_side_solve_single(InkClosure *closure, double t);
void ink_side_finish_single(InkClosure *closure);

/* ---- the half cell ---- */

/* q = into * us - out * u for the velocity w into the domain, with derivatives with respect to k. */
typedef struct InkCarry {
  double into, out, into_by_k, out_by_k;
} InkCarry;
InkCarry ink_carry(double k, double w, double distance);

#endif
