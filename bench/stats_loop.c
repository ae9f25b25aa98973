// SPDX-License-Identifier: BSD-3-Clause
//
// What the machine allows: mean, std, min and max over the first axis of a float32 NPY file [t, n],
// by a bare OpenMP loop over a mapping of the file. No start-up to speak of, no missing values, no
// result file. stats_loop FILE T N
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HEADER = 128, WIDTH = 512, GROUP = 8 };

// `rows` values of each of WIDTH neighbouring columns, `step` apart, relative to the first.
__attribute__((target_clones("avx512f", "avx2,fma", "default"))) static void
columns(const float *at, size_t step, size_t rows, float *mean, float *std, float *lo, float *hi) {
  double s[WIDTH] = {0}, q[WIDTH] = {0};
  float first[WIDTH];
  for (int c = 0; c < WIDTH; c++) first[c] = lo[c] = hi[c] = at[c];
  for (size_t r = 0; r < rows; r += GROUP, at += GROUP * step)
    for (int c = 0; c < WIDTH; c++) {
      double a = 0, b = 0;
      float l = lo[c], h = hi[c];
      for (int i = 0; i < GROUP; i++) {
        float x = at[c + (size_t)i * step];
        double d = (double)x - (double)first[c];
        l = x < l ? x : l, h = x > h ? x : h;
        a += d, b += d * d;
      }
      s[c] += a, q[c] += b, lo[c] = l, hi[c] = h;
    }
  for (int c = 0; c < WIDTH; c++) {
    double m = s[c] / (double)rows;
    mean[c] = (float)((double)first[c] + m);
    std[c] = (float)sqrt(q[c] / (double)rows - m * m);
  }
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  size_t rows = strtoul(argv[2], NULL, 10), n = strtoul(argv[3], NULL, 10);
  int fd = open(argv[1], O_RDONLY);
  char *file = mmap(NULL, HEADER + rows * n * sizeof(float), PROT_READ, MAP_SHARED, fd, 0);
  float *out = malloc(4 * n * sizeof *out);
  if (fd < 0 || file == MAP_FAILED || !out || rows % GROUP != 0 || n % WIDTH != 0) return 1;
#pragma omp parallel for schedule(dynamic, 4)
  for (size_t c = 0; c < n; c += WIDTH)
    columns((const float *)(file + HEADER) + c, n, rows, out + c, out + n + c, out + 2 * n + c,
            out + 3 * n + c);
  printf("%g %g %g %g\n", (double)out[0], (double)out[n], (double)out[2 * n], (double)out[3 * n]);
  return 0;
}
