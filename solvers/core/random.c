/* Normal deviates from counters.
 *
 *     (a, b) = Philox4x32-10(key = seed, counter = (pair, stream))       two 53-bit uniform numbers
 *     z_2k = sqrt(-2 ln a) cos(2 pi b),   z_2k+1 = sqrt(-2 ln a) sin(2 pi b)
 *
 * Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3 (SC11); Box and Muller 1958. Cells
 * 2k and 2k + 1 of the global numbering share a pair; nothing depends on who asks for which cells. */
#include "random.h"
#include "vector.h"

#include <string.h>
#include <Random123/philox.h>

/* The two uniform numbers of a pair: *a in (0, 1], *b in [0, 1). */
static void uniform_pair(uint64_t seed, uint32_t stream, uint64_t pair, double *a, double *b) {
  philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  philox4x32_ctr_t counter = {{(uint32_t)pair, (uint32_t)(pair >> 32), stream, 0}};
  philox4x32_ctr_t bits = philox4x32(counter, key);
  uint64_t first = (uint64_t)bits.v[1] << 32 | bits.v[0], second = (uint64_t)bits.v[3] << 32 | bits.v[2];
  *a = (double)((first >> 11) + 1) * 0x1p-53;
  *b = (double)(second >> 11) * 0x1p-53;
}

/* The deviates of INK_WIDTH pairs from `pair` on: even cells and odd cells. */
static void deviates(uint64_t seed, uint32_t stream, uint64_t pair, double even[INK_WIDTH],
                     double odd[INK_WIDTH]) {
  double a[INK_WIDTH], b[INK_WIDTH];
  for (uint64_t k = 0; k < INK_WIDTH; k++) uniform_pair(seed, stream, pair + k, &a[k], &b[k]);
  InkVector radius = ink_sqrt(ink_all(-2) * INK_SLEEF(log, u10)(ink_load(a)));
  InkVector angle = ink_all(2 * M_PI) * ink_load(b);
  ink_store(even, radius * INK_SLEEF(cos, u10)(angle));
  ink_store(odd, radius * INK_SLEEF(sin, u10)(angle));
}

void ink_random_normal(uint64_t seed, uint32_t stream, uint64_t first, size_t n, double *out) {
  size_t done = 0;
  while (done < n) {
    double even[INK_WIDTH], odd[INK_WIDTH];
    uint64_t cell = first + done;
    deviates(seed, stream, cell / 2, even, odd);
    for (size_t k = (size_t)(cell % 2); k < 2 * INK_WIDTH && done < n; k++)
      out[done++] = k % 2 ? odd[k / 2] : even[k / 2];
  }
}
