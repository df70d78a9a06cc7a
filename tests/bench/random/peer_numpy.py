"""Nanoseconds of the processor a normal deviate of NumPy's Generator (PCG64 and its ziggurat; or Philox) into an array of 4096."""
import sys
import time

import numpy

generator = numpy.random.Generator({"pcg64": numpy.random.PCG64, "philox": numpy.random.Philox}[sys.argv[1]](42))
out = numpy.empty(4096)
least = 1e9
for _ in range(150):
    start = time.process_time()
    for _ in range(30):
        generator.standard_normal(out=out)
    least = min(least, time.process_time() - start)
print(f"{1e9 * least / (30 * out.size):.4f}")
