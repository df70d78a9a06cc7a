/* Coefficients of the additive Runge-Kutta method ARK4(3)6L[2]SA of Kennedy & Carpenter, Appl. Numer. Math.
 * 44 (2003) 139, for du/dt = f(t,u) + g(t,u), f explicit, g implicit:
 *
 *     U_i = u + h sum_{j<i} explicit[i][j] f_j + h sum_{j<=i} implicit[i][j] g_j,       t_i = t + c[i] h
 *     u_1 = u + h sum_j b[j] (f_j + g_j)                            order 4
 *     v_1 = u + h sum_j embedded[j] (f_j + g_j)                     order 3, for the error
 *
 * The implicit part is stiffly accurate (its last row is b), L-stable, has stage order 2, one diagonal value
 * and an explicit first stage. */
#ifndef INK_CORE_STEPPING_TABLEAU_H
#define INK_CORE_STEPPING_TABLEAU_H

enum { INK_ARK_STAGES = 6 };

typedef struct InkTableau {
  double c[INK_ARK_STAGES];
  double rest[INK_ARK_STAGES][INK_ARK_STAGES];  /* explicit */
  double stiff[INK_ARK_STAGES][INK_ARK_STAGES]; /* implicit */
  double b[INK_ARK_STAGES], embedded[INK_ARK_STAGES];
} InkTableau;

extern const InkTableau ink_ark;
#endif
