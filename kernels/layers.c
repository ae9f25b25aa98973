// SPDX-License-Identifier: BSD-3-Clause
//
// The arithmetic of dense layers: two small matrix products, activations, softmax.
//
// Why not BLAS: OpenBLAS picks its kernel, and with it the order of a sum, by the machine and by
// the shape, so a batch cut over two ranks would give other bits than the whole. Here every element
// is one chain of fma() in the order of its index, whatever tile it is in; a tile of 4 rows x 16
// columns keeps eight sums in registers. (Multiply and add apart have units of their own on an EPYC
// of the third generation, which should cost nothing; measured, pairs run at 0.7 of the rate.)
#include "layers.h"
#include <math.h>
#include <string.h>

typedef float v8f __attribute__((vector_size(32), aligned(4), may_alias));

// c + a b, rounded once: one instruction in the copies for AVX2 and AVX-512, slow calls elsewhere.
static inline __attribute__((always_inline)) void madd(v8f *c, const v8f *a, float b) {
  v8f x = *a, sum = *c; // through the pointers it is done lane by lane
  for (int l = 0; l < 8; l++) sum[l] = fmaf(x[l], b, sum[l]);
  *c = sum;
}

enum { DEPTH = 256 }; // of a product at once: 16 KiB of a panel stay in the first-level cache

static int64_t up(int64_t n, int64_t to) {
  return (n + to - 1) / to * to;
}

void pl_net_make(int layers, const int64_t sizes[], int activation, net *n) {
  *n = (net){.layers = layers, .activation = activation};
  for (int l = 0; l < layers; l++) {
    net_layer *y = &n->layer[l];
    *y = (net_layer){.in = sizes[l], .out = sizes[l + 1], .at = n->weights, .turned = n->turned};
    y->k = up(y->in + 1, NET_TILE);
    y->panels = up(y->out, NET_PANEL) / NET_PANEL;
    y->turned_panels = l > 0 ? up(y->in, NET_PANEL) / NET_PANEL : 0;
    n->weights += (size_t)(y->k * y->panels * NET_PANEL);
    n->turned += (size_t)(y->turned_panels * y->panels * NET_PANEL * NET_PANEL);
    n->pitch[l] = up(y->in + 1, NET_PANEL);
  }
  n->pitch[layers] = up(sizes[layers], NET_PANEL);
}

size_t pl_net_weight(const net_layer *l, int64_t i, int64_t j) {
  return l->at + (size_t)((j / NET_PANEL * l->k + i) * NET_PANEL + j % NET_PANEL);
}

size_t pl_net_values(const net *n, int64_t rows, bool learn, void *memory, net_values *v) {
  size_t used = 0;
  for (int part = 0; part < (learn ? 2 : 1); part++)
    for (int l = part; l <= n->layers; l++) {
      *(part ? &v->d[l] : &v->a[l]) = memory ? (float *)memory + used : NULL;
      used += (size_t)(up(rows, NET_TILE) * n->pitch[l]);
    }
  return used * sizeof(float);
}

void pl_net_part(int64_t rows, int thread, int threads, int64_t *first, int64_t *end) {
  int64_t tiles = up(rows, NET_TILE) / NET_TILE;
  *first = tiles * thread / threads * NET_TILE;
  *end = tiles * (thread + 1) / threads * NET_TILE;
}

// ---- rows -----------------------------------------------------------------------------------
static PLAIT_WIDE int64_t scale_row(int64_t n, float shift, float scale, float *x) {
  int64_t missing = 0;
  for (int64_t i = 0; i < n; i++) {
    missing += x[i] != x[i];
    x[i] = (x[i] - shift) * scale;
  }
  return missing;
}

bool pl_net_load(const net *n, plait_type type, const void *row, double shift, double scale,
                 float *to) {
  int64_t in = n->layer[0].in;
  plait_row_to_f32(type, row, in, to);
  int64_t missing = scale_row(in, (float)shift, (float)scale, to);
  to[in] = 1;
  for (int64_t i = in + 1; i < n->pitch[0]; i++) to[i] = 0;
  return missing == 0;
}

// ---- products -------------------------------------------------------------------------------
// c[4, 16] (+)= a[4, k] b[k, 16]
static inline __attribute__((always_inline)) void
tile(int64_t k, const float *a, int64_t pa, const float *b, float *c, int64_t pc, bool more) {
  v8f s[4][2] = {0};
  if (more)
    for (int r = 0; r < 4; r++)
      for (int h = 0; h < 2; h++) s[r][h] = *(const v8f *)(c + r * pc + 8 * h);
  for (int64_t i = 0; i < k; i++, b += NET_PANEL) {
    v8f p = *(const v8f *)b, q = *(const v8f *)(b + 8);
    float x = a[i], y = a[pa + i], z = a[2 * pa + i], w = a[3 * pa + i];
    madd(&s[0][0], &p, x), madd(&s[0][1], &q, x);
    madd(&s[1][0], &p, y), madd(&s[1][1], &q, y);
    madd(&s[2][0], &p, z), madd(&s[2][1], &q, z);
    madd(&s[3][0], &p, w), madd(&s[3][1], &q, w);
  }
  for (int r = 0; r < 4; r++)
    for (int h = 0; h < 2; h++) *(v8f *)(c + r * pc + 8 * h) = s[r][h];
}

// c[rows, 16 panels] = a[rows, k] b, b in panels [panels, depth, 16] of which the first k are used
static PLAIT_WIDE void product(int64_t rows, int64_t k, int64_t panels, int64_t depth,
                               const float *a, int64_t pa, const float *b, float *c, int64_t pc) {
  for (int64_t p = 0; p < panels; p++)
    for (int64_t from = 0; from < k; from += DEPTH) {
      int64_t n = k - from < DEPTH ? k - from : DEPTH;
      const float *part = b + (p * depth + from) * NET_PANEL;
      for (int64_t r = 0; r < rows; r += NET_TILE)
        tile(n, a + r * pa + from, pa, part, c + r * pc + p * NET_PANEL, pc, from > 0);
    }
}

// ---- elementary functions: the same bits on every machine -------------------------------------
// exp(x), |error| < 2 ulp; x clamped to +-700. ln 2 in two parts, Taylor to the 13th power.
static inline double exponential(double x) {
  const double magic = 6755399441055744.0;
  x = x > 700 ? 700 : x < -700 ? -700 : x;
  double k = x * 1.4426950408889634 + magic, n = k - magic;
  double r = x - n * 0.693147180369123816490, sum = 1.0 / 6227020800;
  r -= n * 1.90821492927058770002e-10;
  static const double part[] = {1.0 / 479001600,
                                1.0 / 39916800,
                                1.0 / 3628800,
                                1.0 / 362880,
                                1.0 / 40320,
                                1.0 / 5040,
                                1.0 / 720,
                                1.0 / 120,
                                1.0 / 24,
                                1.0 / 6,
                                0.5,
                                1,
                                1};
  for (int i = 0; i < 13; i++) sum = sum * r + part[i];
  uint64_t bits;
  memcpy(&bits, &k, sizeof bits);
  bits = (bits + 1023) << 52;
  double power;
  memcpy(&power, &bits, sizeof power);
  return sum * power;
}

static PLAIT_WIDE void activate_relu(int64_t n, float *x) {
  for (int64_t i = 0; i < n; i++) x[i] = x[i] > 0 ? x[i] : x[i] != x[i] ? x[i] : 0;
}
static PLAIT_WIDE void activate_tanh(int64_t n, float *x) {
  for (int64_t i = 0; i < n; i++) {
    double t = exponential(-2 * fabs((double)x[i]));
    x[i] = copysignf((float)((1 - t) / (1 + t)), x[i]);
  }
}
static PLAIT_WIDE void slope_relu(int64_t n, const float *restrict a, float *restrict d) {
  for (int64_t i = 0; i < n; i++) d[i] = a[i] > 0 ? d[i] : 0;
}
static PLAIT_WIDE void slope_tanh(int64_t n, const float *restrict a, float *restrict d) {
  for (int64_t i = 0; i < n; i++) d[i] *= 1 - a[i] * a[i];
}

double pl_net_softmax(const float *logits, int64_t classes, int64_t label, float *p,
                      int64_t *best) {
  int64_t most = 0;
  double sum = 0;
  for (int64_t j = 1; j < classes; j++)
    if (logits[j] > logits[most]) most = j;
  double top = (double)logits[most], own = label >= 0 ? (double)logits[label] - top : 0;
  for (int64_t j = 0; j < classes; j++) {
    double e = exponential((double)logits[j] - top);
    p[j] = (float)e;
    sum += e;
  }
  for (int64_t j = 0; j < classes; j++) p[j] = (float)((double)p[j] / sum);
  *best = most;
  return log(sum) - own;
}

// ---- through the layers -----------------------------------------------------------------------
static void activate(const net *n, int l, float *row) {
  int64_t out = n->layer[l].out;
  if (l == n->layers - 1) return;
  n->activation == NET_RELU ? activate_relu(out, row) : activate_tanh(out, row);
  row[out] = 1;
  for (int64_t j = out + 1; j < n->pitch[l + 1]; j++) row[j] = 0;
}

void pl_net_forward(const net *n, const float *weights, int64_t first, int64_t end, net_values *v) {
  for (int l = 0; l < n->layers; l++) {
    const net_layer *y = &n->layer[l];
    int64_t pa = n->pitch[l], pc = n->pitch[l + 1];
    product(end - first, y->in + 1, y->panels, y->k, v->a[l] + first * pa, pa, weights + y->at,
            v->a[l + 1] + first * pc, pc);
    for (int64_t r = first; r < end; r++) activate(n, l, v->a[l + 1] + r * pc);
  }
}

void pl_net_backward(const net *n, const float *turned, int64_t first, int64_t end, net_values *v) {
  for (int l = n->layers - 1; l > 0; l--) {
    const net_layer *y = &n->layer[l];
    int64_t pa = n->pitch[l + 1], pc = n->pitch[l], depth = y->panels * NET_PANEL;
    product(end - first, y->out, y->turned_panels, depth, v->d[l + 1] + first * pa, pa,
            turned + y->turned, v->d[l] + first * pc, pc);
    for (int64_t r = first; r < end; r++)
      (n->activation == NET_RELU ? slope_relu : slope_tanh)(y->in, v->a[l] + r * pc,
                                                            v->d[l] + r * pc);
  }
}

void pl_net_turn(const net *n, const float *weights, float *turned) {
  for (int l = 1; l < n->layers; l++) {
    const net_layer *y = &n->layer[l];
    int64_t depth = y->panels * NET_PANEL;
#pragma omp for
    for (int64_t p = 0; p < y->turned_panels; p++)
      for (int64_t j = 0; j < depth; j++)
        for (int64_t c = 0; c < NET_PANEL; c++) {
          int64_t i = p * NET_PANEL + c;
          turned[y->turned + (size_t)((p * depth + j) * NET_PANEL + c)] =
              i < y->in ? weights[pl_net_weight(y, i, j)] : 0;
        }
  }
}

// ---- derivatives by the weights -----------------------------------------------------------------
typedef struct lanes {
  const int64_t *start;
  int count;
} lanes;

typedef struct sums { // of a tile
  v8f at[4][2];
} sums;

// sum over rows of a[row, 4] d[row, 16]
static inline __attribute__((always_inline)) sums
outer_lane(int64_t first, int64_t end, const float *a, int64_t pa, const float *d, int64_t pd) {
  v8f s[4][2] = {0};
  for (int64_t r = first; r < end; r++) {
    v8f p = *(const v8f *)(d + r * pd), q = *(const v8f *)(d + r * pd + 8);
    const float *x = a + r * pa;
    madd(&s[0][0], &p, x[0]), madd(&s[0][1], &q, x[0]);
    madd(&s[1][0], &p, x[1]), madd(&s[1][1], &q, x[1]);
    madd(&s[2][0], &p, x[2]), madd(&s[2][1], &q, x[2]);
    madd(&s[3][0], &p, x[3]), madd(&s[3][1], &q, x[3]);
  }
  return (sums){{{s[0][0], s[0][1]}, {s[1][0], s[1][1]}, {s[2][0], s[2][1]}, {s[3][0], s[3][1]}}};
}

// g[4, 16] = the sums of all lanes, added like a binary counter that carries. (What waits is not
// cleared first: that alone took a third of the time.)
static inline __attribute__((always_inline)) void outer(const lanes *of, const float *a, int64_t pa,
                                                        const float *d, int64_t pd, float *g) {
  sums waiting[16], s;
  for (int lane = 0; lane < of->count; lane++) {
    s = outer_lane(of->start[lane], of->start[lane + 1], a, pa, d, pd);
    int level = 0;
    for (; lane >> level & 1; level++)
      for (int i = 0; i < 4; i++)
        for (int h = 0; h < 2; h++) s.at[i][h] = waiting[level].at[i][h] + s.at[i][h];
    waiting[level] = s;
  }
  for (int i = 0; i < 4; i++)
    for (int h = 0; h < 2; h++) *(v8f *)(g + i * NET_PANEL + 8 * h) = s.at[i][h];
}

// Tiles [first, end) of rows of the weights, in all panels: the rows' values stay in the cache.
static PLAIT_WIDE void outer_tiles(const net_layer *y, const lanes *of, int64_t first, int64_t end,
                                   const float *a, int64_t pa, const float *d, int64_t pd,
                                   float *g) {
  for (int64_t p = 0; p < y->panels; p++)
    for (int64_t t = first; t < end; t++)
      outer(of, a + t * NET_TILE, pa, d + p * NET_PANEL, pd,
            g + (p * y->k + t * NET_TILE) * NET_PANEL);
}

static void gradient_part(const net *n, const net_values *v, const plait_batch *b, int l,
                          int64_t part, size_t skip, float *const sum[]) {
  const net_layer *y = &n->layer[l];
  int64_t tiles = y->k / NET_TILE, first = 4 * part, end = first + 4 < tiles ? first + 4 : tiles;
  for (int i = 0; i < b->nodes; i++) {
    lanes of = {b->lane + b->first[i], b->width[i]};
    outer_tiles(y, &of, first, end, v->a[l], n->pitch[l], v->d[l + 1], n->pitch[l + 1],
                sum[i] + skip + y->at);
  }
}

void pl_net_gradient(const net *n, const net_values *v, const plait_batch *batch, size_t skip,
                     float *const sum[]) {
  for (int l = 0; l < n->layers; l++) {
    int64_t parts = (n->layer[l].k / NET_TILE + 3) / 4;
#pragma omp for schedule(dynamic) nowait
    for (int64_t part = 0; part < parts; part++) gradient_part(n, v, batch, l, part, skip, sum);
  }
}
