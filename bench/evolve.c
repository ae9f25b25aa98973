// SPDX-License-Identifier: BSD-3-Clause
//
// Speed of the evolve engine beside hand-written loops and the memory, all in the same minutes:
// STREAM triad and copy, a plain and a non-temporal loop of the 7-point stencil, heat and tsunami
// with time tiles and without. Each is repeated in turn and the best taken, because other users of
// the machine come and go. Usage: bench_evolve [heat cells] [rounds] [depth]
#include "base/mem.h"
#include "engine/evolve_march.h"
#include "engine/job.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

extern const plait_kernel plait_kernel_heat, plait_kernel_tsunami;

static double greater(double a, double b) {
  return a > b ? a : b;
}

static double *doubles(size_t n) {
  double *a = aligned_alloc(1 << 21, (n * 8 + (1 << 21) - 1) >> 21 << 21);
  if (!a) exit(1);
  madvise(a, n * 8, MADV_HUGEPAGE);
#pragma omp parallel for
  for (size_t i = 0; i < n; i++) a[i] = (double)(i % 97);
  return a;
}

static void stream(double *a, double *b, double *c, size_t n, double *triad, double *copy) {
  double t = omp_get_wtime();
#pragma omp parallel for
  for (size_t i = 0; i < n; i++) a[i] = b[i] + 3.0 * c[i];
  *triad = greater(*triad, 24.0 * (double)n / (omp_get_wtime() - t));
  t = omp_get_wtime();
#pragma omp parallel for
  for (size_t i = 0; i < n; i++) a[i] = b[i];
  *copy = greater(*copy, 16.0 * (double)n / (omp_get_wtime() - t));
}

PLAIT_WIDE static void plain_row(const double *restrict u, double *restrict v, int64_t n,
                                 int64_t sy, int64_t sz) {
  for (int64_t i = 0; i < n; i++)
    v[i] = 0.4 * u[i] +
           0.1 * ((u[i - 1] + u[i + 1]) + (u[i - sy] + u[i + sy]) + (u[i - sz] + u[i + sz]));
}

#if defined(__SSE2__)
__attribute__((target("avx"))) static void stream_row(const double *u, double *v, int64_t n,
                                                      int64_t sy, int64_t sz) {
  __m256d c0 = _mm256_set1_pd(0.4), c1 = _mm256_set1_pd(0.1);
  for (int64_t i = 0; i < n; i += 4) { // v is aligned
    __m256d x = _mm256_add_pd(_mm256_loadu_pd(u + i - 1), _mm256_loadu_pd(u + i + 1));
    __m256d y = _mm256_add_pd(_mm256_loadu_pd(u + i - sy), _mm256_loadu_pd(u + i + sy));
    __m256d z = _mm256_add_pd(_mm256_loadu_pd(u + i - sz), _mm256_loadu_pd(u + i + sz));
    __m256d s = _mm256_add_pd(_mm256_add_pd(x, y), z);
    _mm256_stream_pd(
        v + i, _mm256_add_pd(_mm256_mul_pd(c0, _mm256_loadu_pd(u + i)), _mm256_mul_pd(c1, s)));
  }
}
#else
#define stream_row plain_row
#endif

static double loop(double *u, double *v, int64_t n, bool nontemporal) {
  int64_t sy = n + 16, sz = sy * (n + 2), first = sz + sy + 8;
  double t = omp_get_wtime();
#pragma omp parallel for
  for (int64_t k = 0; k < n; k++)
    for (int64_t j = 0; j < n; j++) {
      int64_t at = first + k * sz + j * sy;
      (nontemporal ? stream_row : plain_row)(u + at, v + at, n, sy, sz);
    }
  return (double)(n * n * n) / (omp_get_wtime() - t);
}

typedef struct bench {
  plait_problem problem;
  plait_array relief;
  double lat[4000], lon[8000];
  void *params, *keep;
  pl_march march;
} bench;

static void die(plait_err err) {
  if (err == PLAIT_OK) return;
  fprintf(stderr, "bench: %s\n", pl_message());
  exit(1);
}

static void start(pl_comm *comm, bench *b, const plait_kernel *k, const char *settings, int depth,
                  double dt) {
  die(pl_params_from_text(k->params, k->params_size, settings, &b->params, &b->keep));
  pl_march_setup setup = {.kernel = k, .problem = &b->problem, .params = b->params, .depth = depth};
  setup.threads = omp_get_max_threads();
  setup.cache = 4 << 20;
  die(pl_march_start(comm, &setup, &b->march));
  for (int f = 0; f < b->march.grid.nfields; f++) { // sea everywhere, of varying depth
    if (!b->march.grid.field[f].from_input) continue;
    const pl_part *part = &b->march.fields.part;
    for (int64_t j = 0; j < part->n[0]; j++)
      for (int64_t i = 0; i < part->n[1]; i++)
        ((float *)(void *)b->march.fields.data[f][0])[j * part->stride[0] + i] =
            -4000 - 500 * (float)((i / 64 + j / 64) % 3);
  }
#pragma omp parallel
  if (pl_march_initial(&b->march, dt, omp_get_thread_num()) != PLAIT_OK) exit(1);
}

static double run(bench *b, int steps) {
  double t = omp_get_wtime(), cells = 1;
  for (int a = 0; a < b->march.grid.ndim; a++) cells *= (double)b->march.grid.shape[a];
#pragma omp parallel
  for (int done = 0; done < steps;) {
    int n = steps - done < b->march.tiling.depth ? steps - done : b->march.tiling.depth;
    if (pl_march_tile(&b->march, n, omp_get_thread_num()) != PLAIT_OK) exit(1);
    done += n;
  }
  return cells * steps / (omp_get_wtime() - t);
}

static void make_relief(bench *b) {
  for (int i = 0; i < 961; i++) b->lat[i] = -80 + i / 6.0;
  for (int i = 0; i < 2160; i++) b->lon[i] = i / 6.0;
  b->relief = (plait_array){.name = "z", .type = PLAIT_F32, .ndim = 2, .shape = {961, 2160}};
  b->relief.coord[0] = b->lat;
  b->relief.coord[1] = b->lon;
  b->problem.input = &b->relief;
}

int main(int argc, char **argv) {
  int n = argc > 1 ? atoi(argv[1]) : 512, rounds = argc > 2 ? atoi(argv[2]) : 4;
  int depth = argc > 3 ? atoi(argv[3]) : 0;
  static bench heat, flat, wave, plain;
  pl_comm *comm = NULL;
  char settings[200];
  die(pl_comm_start(false, 1, &comm));
  snprintf(settings, sizeof settings, "cells=[%d,%d,%d] diffusivity=0.1", n, n, n);
  start(comm, &heat, &plait_kernel_heat, settings, depth, 1);
  start(comm, &flat, &plait_kernel_heat, settings, 1, 1);
  make_relief(&wave);
  make_relief(&plain);
  const char *hump = "shapes=[{kind: mode, amplitude: 1, kx: 3, ky: 2}]";
  start(comm, &wave, &plait_kernel_tsunami, hump, depth, 5);
  start(comm, &plain, &plait_kernel_tsunami, hump, 1, 5);
  size_t cells = (size_t)(n + 16) * (size_t)(n + 2) * (size_t)(n + 2) + 4096, m = (size_t)1 << 25;
  double *u = doubles(cells > m ? cells : m), *v = doubles(cells > m ? cells : m), *w = doubles(m);
  double triad = 0, copy = 0, best[6] = {0};
  for (int r = 0; r < rounds; r++) {
    stream(u, v, w, m, &triad, &copy);
    for (int k = 0; k < 3; k++) best[0] = greater(best[0], loop(u, v, n, false));
    for (int k = 0; k < 3; k++) best[1] = greater(best[1], loop(u, v, n, true));
    best[2] = greater(best[2], run(&flat, 3));
    best[3] = greater(best[3], run(&heat, 2 * heat.march.tiling.depth));
    best[4] = greater(best[4], run(&plain, 20));
    best[5] = greater(best[5], run(&wave, 4 * wave.march.tiling.depth));
    stream(u, v, w, m, &triad, &copy);
  }
  printf("%d threads; triad %.1f GB/s, copy %.1f GB/s\n", omp_get_max_threads(), triad / 1e9,
         copy / 1e9);
  double loops = greater(best[0], best[1]);
  printf("heat %d^3 float64, 10^9 updates/s: plain loop %.2f, non-temporal %.2f, depth 1 %.2f, "
         "depth %d "
         "(rows %lld) %.2f\n",
         n, best[0] / 1e9, best[1] / 1e9, best[2] / 1e9, heat.march.tiling.depth,
         (long long)heat.march.tiling.block[1], best[3] / 1e9);
  printf("  x better loop %.2f (bar 2), of copy / 16 B %.2f (bar 0.9)\n", best[3] / loops,
         best[3] / (copy / 16));
  printf("tsunami 961 x 2160 float32, 10^9 updates/s: depth 1 %.2f, depth %d %.2f\n", best[4] / 1e9,
         wave.march.tiling.depth, best[5] / 1e9);
  printf("  updates per byte of triad: depth 1 %.4f, tiled %.4f (bar 0.040)\n", best[4] / triad,
         best[5] / triad);
  return 0;
}
