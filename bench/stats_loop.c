// SPDX-License-Identifier: BSD-3-Clause
//
// What the machine allows: mean, std, min and max over the first axis of a float32 NPY file [t, n],
// by a bare OpenMP loop. No start-up to speak of, no missing values, no result file.
//   stats_loop FILE T N map WIDTH    over a mapping of the file, in strips of WIDTH columns
//   stats_loop FILE T N read WIDTH   each thread reads parts of a strip into its cache
#define _POSIX_C_SOURCE 200809L
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HEADER = 128, ROWS = 16, GROUP = 8 };

typedef struct sums { // of the columns of a strip
  double *s, *q;
  float *first, *lo, *hi;
} sums;

// `rows` values of each of n neighbouring columns, `step` apart, relative to the first.
__attribute__((target_clones("avx512f", "avx2,fma", "default"))) static void
add(const float *restrict at, size_t step, size_t rows, size_t n, double *restrict s,
    double *restrict q, const float *restrict first, float *restrict lo, float *restrict hi) {
  for (size_t r = 0; r < rows; r += GROUP, at += GROUP * step)
    for (size_t c = 0; c < n; c++) {
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
}

static void start(sums *t, const float *at, size_t n) {
  memcpy(t->first, at, n * sizeof *at);
  memcpy(t->lo, at, n * sizeof *at);
  memcpy(t->hi, at, n * sizeof *at);
  memset(t->s, 0, n * sizeof *t->s);
  memset(t->q, 0, n * sizeof *t->q);
}

static void finish(const sums *t, size_t rows, size_t n, float *out, size_t all) {
  for (size_t c = 0; c < n; c++) {
    double m = t->s[c] / (double)rows;
    out[c] = (float)((double)t->first[c] + m);
    out[all + c] = (float)sqrt(t->q[c] / (double)rows - m * m);
    out[2 * all + c] = t->lo[c];
    out[3 * all + c] = t->hi[c];
  }
}

static void *room(size_t bytes) {
  void *at = malloc(bytes);
  if (!at) exit(1);
  return at;
}

// ROWS rows of n columns from row r, column c on.
static void read_part(int fd, float *to, size_t r, size_t c, size_t n, size_t all) {
  for (size_t i = 0; i < ROWS; i++) {
    off_t at = (off_t)(HEADER + ((r + i) * all + c) * sizeof *to);
    if (pread(fd, to + i * n, n * sizeof *to, at) != (ssize_t)(n * sizeof *to)) exit(1);
  }
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  size_t rows = strtoul(argv[2], NULL, 10), n = strtoul(argv[3], NULL, 10);
  size_t width = strtoul(argv[5], NULL, 10);
  int fd = open(argv[1], O_RDONLY);
  const char *file = NULL;
  if (strcmp(argv[4], "map") == 0)
    file = mmap(NULL, HEADER + rows * n * sizeof(float), PROT_READ, MAP_SHARED, fd, 0);
  float *out = room(4 * n * sizeof *out);
  if (fd < 0 || file == MAP_FAILED || rows % ROWS != 0 || n % width != 0) return 1;
#pragma omp parallel
  {
    float *part = room(ROWS * width * sizeof *part);
    sums t = {room(width * 8), room(width * 8), room(width * 4), room(width * 4), room(width * 4)};
#pragma omp for schedule(dynamic, 1)
    for (size_t c = 0; c < n; c += width) {
      for (size_t r = 0; r < rows; r += ROWS) {
        const float *at = file ? (const float *)(file + HEADER) + r * n + c : part;
        if (!file) read_part(fd, part, r, c, width, n);
        if (r == 0) start(&t, at, width);
        add(at, file ? n : width, ROWS, width, t.s, t.q, t.first, t.lo, t.hi);
      }
      finish(&t, rows, width, out + c, n);
    }
  }
  printf("%g %g %g %g\n", (double)out[0], (double)out[n], (double)out[2 * n], (double)out[3 * n]);
  return 0;
}
