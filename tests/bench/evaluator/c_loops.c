/* The compiled loops: what one would write by hand. Compiled with plain `gcc -O3 -march=native`, so the
 * compiler may contract to fma as it likes. No restrict: like ours they must allow out to be an input. */
#include <math.h>
#include <stddef.h>

void gray_scott(size_t n, const double *u, const double *v, double *out);
void arrhenius(size_t n, const double *u, const double *v, double *out);
void polynomial(size_t n, const double *u, const double *v, double *out);

void gray_scott(size_t n, const double *u, const double *v, double *out) {
  for (size_t i = 0; i < n; i++) out[i] = 0.04 - u[i] + u[i] * u[i] * v[i];
}

void arrhenius(size_t n, const double *u, const double *v, double *out) {
  for (size_t i = 0; i < n; i++) out[i] = 3.5 * v[i] * exp(-2.0 / (u[i] + 0.5));
}

void polynomial(size_t n, const double *u, const double *v, double *out) {
  for (size_t i = 0; i < n; i++)
    out[i] = u[i] * (1 - u[i]) * (u[i] - 0.1) - v[i] * (u[i] * u[i] - 0.5 * v[i]) + 0.3 * u[i] * v[i];
}
