// SPDX-License-Identifier: BSD-3-Clause
//
// What the files of kmeans share: parameters, the state between passes, partials.
#ifndef PLAIT_KMEANS_H
#define PLAIT_KMEANS_H
#include <plait.h>

enum { KM_PARTS = 16, KM_BATCH = 32, KM_GROUP = 4, KM_FAR = 16 };
enum { KM_REFUSE, KM_SKIP };
enum { KM_PLUSPLUS, KM_RANDOM };
enum { KM_AUTO, KM_F32, KM_F64 };

typedef struct kmeans_params {
  int64_t k, iterations, seed, sample;
  double tolerance;
  int init, missing, type;
  bool labels;
  plait_axes features;
  const char *centers;
} kmeans_params;

// Sizes that follow from problem and parameters.
typedef struct km_shape {
  int64_t n, d, k;
  int64_t padded; // k rounded up to whole groups of centres
  int64_t sample; // rows that seeding looks at
  int64_t far;    // points far from their centres that are remembered
  bool wide;      // distances in float64
  int nrow, ncol; // axes of the input whose cells are rows, and those whose cells are features
  int row[PLAIT_DIMS], col[PLAIT_DIMS];
  int64_t length[PLAIT_DIMS]; // of the axes of the input
  bool packed;                // the features of a row lie side by side
} km_shape;

// One pass hands this to the next: a head and three arrays, plain bytes.
typedef struct km_head {
  int64_t points, skipped, iteration, converged;
  double limit; // a step of the centres whose square is below this ends the iteration
  double moved; // square of the last step
} km_head;
typedef struct km_state {
  km_head *head;
  double *origin; // [d] mean of all points: everything below is relative to it
  double *centre; // [k, d]
  void *table;    // [padded / 4, d, 4] the centres as the distances want them, float32 or float64
  void *half;     // [padded] half the square of their length; infinite beyond k
} km_state;

// Partial of pass 0: moments and a sample of the rows.
typedef struct km_survey {
  int64_t *points;   // [0] counted, [1] with missing values, [2] rows in the sample
  double *mean, *m2; // [d]
  double *sample;    // [sample, d] relative to nothing
} km_survey;

// Partial of the passes that follow. The far points are sorted, the farthest first.
typedef struct km_far {
  double distance; // squared
  int64_t row, label;
} km_far;
typedef struct km_tally {
  int64_t *points;  // [0] counted, [1] with missing values, [2] far points
  double *inertia;  // [1]
  int64_t *count;   // [k]
  double *sum;      // [k, d] relative to the origin
  km_far *far;      // [far]
  double *far_rows; // [far, d] relative to the origin
} km_tally;

void pl_kmeans_shape(const plait_problem *problem, const kmeans_params *p, km_shape *s);
// Find their arrays in memory; without memory they count its bytes.
size_t pl_kmeans_state(const km_shape *s, void *memory, km_state *view);
size_t pl_kmeans_survey(const km_shape *s, void *memory, km_survey *view);
size_t pl_kmeans_tally(const km_shape *s, void *memory, km_tally *view);
size_t pl_kmeans_scratch(const km_shape *s); // per thread
size_t pl_kmeans_shared(const km_shape *s);  // of a team

// Rows [row, row + n) of a block as [n, d] in float64, and the number of a row in the whole input.
void pl_kmeans_rows(const km_shape *s, const plait_block *in, int64_t row, int64_t n, double *to);
int64_t pl_kmeans_number(const km_shape *s, const plait_block *in, int64_t row);
int64_t pl_kmeans_count(const km_shape *s, const plait_block *in); // of the rows of a block

void pl_kmeans_block(const plait_call *call, const plait_block *in, void *partial);
void pl_kmeans_emit(const plait_call *call, const plait_block *in, void *partial,
                    const plait_block out[]);
size_t pl_kmeans_used(const plait_call *call); // of a partial
void pl_kmeans_merge(const plait_call *call, const plait_block *tile, void *left,
                     const void *right);
void pl_kmeans_merge_moments(int64_t d, const int64_t *points, const double *mean, const double *m2,
                             km_survey *left);
void pl_kmeans_remember(const km_shape *s, km_tally *t, const km_far *point, const double *row);

// Nearest centre of KM_BATCH points, transposed: xt [d, KM_BATCH]. best: half the squared distance
// less half the square of the point; at: its number, the lowest of equals.
void pl_kmeans_nearest_f32(const km_shape *s, const km_state *state, const float *xt, float *best,
                           int32_t *at);
void pl_kmeans_nearest_f64(const km_shape *s, const km_state *state, const double *xt, double *best,
                           int32_t *at);

// Squared distance of two rows. Bits: same anywhere.
double pl_kmeans_distance(const double *a, const double *b, int64_t d);

bool pl_kmeans_next(const plait_call *call, const void *partial, void *bytes);
// Cell i of an array in the type of the distances.
void pl_kmeans_store(const km_shape *s, void *array, int64_t i, double value);

// Fills state->centre from the sample; false (and raised) when there are too few points.
bool pl_kmeans_seed(const plait_call *call, const km_shape *s, const km_survey *survey,
                    km_state *state);
size_t pl_kmeans_seed_bytes(const km_shape *s); // of the team's memory
int64_t pl_kmeans_chosen(const km_shape *s, int64_t seed, int64_t stratum);
plait_err pl_kmeans_verify(const plait_lab *lab);
#endif
