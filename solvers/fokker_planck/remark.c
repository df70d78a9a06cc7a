/* What is worth knowing of a process before it is run: densities that grow without bound towards a side,
 * where the generator does not know their law (core/wall_law.h). */
#include <math.h>
#include "../core/wall_law.h"
#include "fokker_planck_impl.h"

/* A tree along an axis, the other state variables halfway; 0 where there is none. */
static double value_at(const InkFokkerPlanck *f, const InkExpr *e, int axis, double x) {
  static const int variable[3] = {INK_VAR_X, INK_VAR_Y, INK_VAR_Z};
  double in[INK_VARS] = {0.0};
  for (int a = 0; a < f->mesh->dim; a++)
    in[variable[a]] = a == axis ? x : 0.5 * (f->mesh->axis[a].from + f->mesh->axis[a].to);
  in[INK_VAR_T] = f->now;
  return e ? ink_expr_value(e, in) : 0.0;
}

/* Where diffusion vanishes linearly at a side, D = D' y at the distance y, and drift is b from it, p goes as
 * y^(a - 1), a = b/D' (Feller, Ann. Math. 55 (1952) 468). Returns a; 1 where it is not so. */
static double exponent_at(const InkFokkerPlanck *f, const InkProcess *process, int side) {
  static const double nothing = 1e-12, linear = 0.05;
  const int axis = side / 2;
  const InkAxis *along = &f->mesh->axis[axis];
  const double wall = side % 2 ? along->to : along->from,
               way = along->centroid[side % 2 ? along->cells - 1 : 0] - wall;
  const InkExpr *D = process->diffusion[axis][axis];
  const double at_wall = value_at(f, D, axis, wall), half = value_at(f, D, axis, wall + 0.5 * way),
               whole = value_at(f, D, axis, wall + way);
  if (!(whole > 0.0) || !(fabs(at_wall) <= nothing * whole) || !(fabs(half / whole - 0.5) < linear))
    return 1.0;
  const double drift = value_at(f, process->drift[axis], axis, wall);
  return (way > 0.0 ? drift : -drift) * fabs(way) / (4.0 * half - whole); /* D' to second order */
}

/* Has the axis off-diagonal diffusion? */
static bool is_coupled(const InkProcess *process, int axis) {
  bool coupled = false;
  for (int a = 0; a < process->dim; a++) {
    const InkExpr *D = a == axis ? NULL : process->diffusion[axis][a];
    double value;
    coupled = coupled || (D && !(ink_expr_is_number(D, &value) && value == 0.0));
  }
  return coupled;
}

void ink_fokker_planck_remark(const InkFokkerPlanck *f, const InkProcess *process, char *text, size_t size) {
  text[0] = '\0';
  if (f->equation != INK_DENSITY && f->equation != INK_STATIONARY) return;
  for (int side = 0; side < 2 * f->mesh->dim && !text[0]; side++) {
    const InkAxis *axis = &f->mesh->axis[side / 2];
    if (process->absorbing[side] || axis->periodic) continue;
    const double a = exponent_at(f, process, side);
    if (!(a >= 0.0 && a < 1.0) || (a > INK_WALL_LEAST && !is_coupled(process, side / 2))) continue;
    const double width = axis->volume[side % 2 ? axis->cells - 1 : 0];
    snprintf(text, size,
             "towards %s, where diffusion vanishes, p grows as (distance)^%.3g, and converges only as (cell "
             "width)^%.3g: expect errors of the order of %.1g; narrower cells there help little, for gene "
             "frequencies solver: population is exact",
             ink_side_name(f->mesh, side), a - 1.0, a, pow(width / (axis->to - axis->from), a));
  }
}
