// SPDX-License-Identifier: BSD-3-Clause
//
// plait.h - the one public header: what the author of a kernel reads.
//
// A kernel is one C file in kernels/ that includes this header and the C library. It says what it
// computes (a table of parameters, a plan, a few functions on blocks); the engine does the rest:
// ranks, threads, reading, writing, halos, merging, restart. A kernel never allocates, opens,
// prints, calls MPI or starts threads. Its block functions are called by *every thread of the team
// at once*; they share the work with an orphaned `#pragma omp for` and must give the same bits for
// every number of threads (so: no `reduction(+)`, no order that depends on the thread).
//
// kernels/template.c is the shortest complete example; docs/kernels.md explains it line by line.
#ifndef PLAIT_H
#define PLAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLAIT_VERSION "0.1.0"
#define PLAIT_DIMS    8  // axes of an array, at most
#define PLAIT_OUTPUTS 16 // arrays that one kernel writes, at most
#define PLAIT_ASIDES  12 // small arrays beside the input, at most
#define PLAIT_NAME    64 // bytes of a name with its closing zero

// ---- errors ---------------------------------------------------------------------------------
// name, exit code of the program, text. The detector of an error says what happened in one line
// (plait_fail); whoever passes it on adds nothing.
#define PLAIT_ERRORS(X)                                                                            \
  X(OK, 0, "done")                                                                                 \
  X(USAGE, 2, "wrong command line")                                                                \
  X(JOB, 2, "error in the job")                                                                    \
  X(INPUT, 2, "the input cannot be used")                                                          \
  X(OUTPUT, 2, "the output cannot be used")                                                        \
  X(REFUSED, 2, "the kernel refuses its input")                                                    \
  X(IO, 1, "reading or writing failed")                                                            \
  X(MEMORY, 1, "out of memory")                                                                    \
  X(KERNEL, 1, "the kernel failed")                                                                \
  X(COMM, 1, "communication failed")                                                               \
  X(BUG, 1, "an error in plait itself")                                                            \
  X(VERIFY, 3, "verification failed")                                                              \
  X(STOPPED, 75, "stopped early, can be resumed")

typedef enum plait_err {
#define PLAIT_ERROR_CODE(name, exit_code, text) PLAIT_##name,
  PLAIT_ERRORS(PLAIT_ERROR_CODE)
#undef PLAIT_ERROR_CODE
} plait_err;

#if defined(__GNUC__)
#define PLAIT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define PLAIT_PRINTF(fmt, args)
#endif

// Records what went wrong, in one line without a newline, and returns `code`.
// Not collective. *copies* the text into this thread's message. Threads: any.
plait_err plait_fail(plait_err code, const char *format, ...) PLAIT_PRINTF(2, 3);

// ---- arrays ---------------------------------------------------------------------------------
typedef enum plait_type {
  PLAIT_I8,
  PLAIT_U8,
  PLAIT_I16,
  PLAIT_U16,
  PLAIT_I32,
  PLAIT_U32,
  PLAIT_I64,
  PLAIT_U64,
  PLAIT_F32,
  PLAIT_F64,
  PLAIT_TYPES // how many there are
} plait_type;

#define PLAIT_TAKES(type)    (1u << (type))
#define PLAIT_TAKES_FLOATS   (PLAIT_TAKES(PLAIT_F32) | PLAIT_TAKES(PLAIT_F64))
#define PLAIT_TAKES_INTEGERS (PLAIT_TAKES(PLAIT_F32) - 1u)
#define PLAIT_TAKES_ALL      (PLAIT_TAKES_FLOATS | PLAIT_TAKES_INTEGERS)

size_t plait_type_size(plait_type type);      // bytes of one value
const char *plait_type_name(plait_type type); // "float32"

// An array as a kernel sees it before it runs: after unpacking (scale_factor, add_offset), missing
// values already NaN. Integers without packing or missing values stay integers.
// All pointers are *borrowed* and live as long as the job.
typedef struct plait_array {
  const char *name;
  const char *units; // "" when unknown
  plait_type type;
  int ndim;
  int64_t shape[PLAIT_DIMS];
  const char *dims[PLAIT_DIMS];        // names of the axes; "axis0".. when the file has none
  const double *coord[PLAIT_DIMS];     // coordinate values along the axis, or NULL
  const char *coord_units[PLAIT_DIMS]; // "degrees_north"; "" when unknown
} plait_array;

// A box of an array in memory. Row-major with strides; in + own + in cells along each axis.
//   cell (i, j) of a 2-D block: ((T *)b->data)[i * b->stride[0] + j * b->stride[1]]
// 0 <= i < extent[0] are its own cells; -halo[0] <= i < 0 and extent <= i < extent + halo are halo
// cells: values of the neighbourhood, or outside the array the values of the boundary rule.
// stride[ndim-1] is always 1. Arrays of different blocks never overlap (restrict by contract).
typedef struct plait_block {
  void *data; // the first own cell
  plait_type type;
  int ndim;
  int64_t origin[PLAIT_DIMS]; // index of the first own cell in the whole array
  int64_t extent[PLAIT_DIMS]; // own cells
  int64_t halo[PLAIT_DIMS];   // halo cells on each side
  ptrdiff_t stride[PLAIT_DIMS];
} plait_block;

// A block as rows of own cells along its last axis: how many there are, and the first cell of one.
static inline int64_t plait_rows(const plait_block *block) {
  int64_t rows = 1;
  for (int d = 0; d < block->ndim - 1; d++) rows *= block->extent[d];
  return rows;
}
static inline void *plait_row(const plait_block *block, int64_t row) {
  ptrdiff_t cell = 0;
  for (int d = block->ndim - 2; d >= 0; d--) {
    cell += (ptrdiff_t)(row % block->extent[d]) * block->stride[d];
    row /= block->extent[d];
  }
  return (char *)block->data + cell * (ptrdiff_t)plait_type_size(block->type);
}

// ---- parameters -----------------------------------------------------------------------------
// One row per parameter of a kernel. The text of `plait describe`, the checks of the job file and
// the defaults come from this table alone. `offset` is the place in the parameter struct.
typedef enum plait_param_kind {
  PLAIT_PARAM_INT,    // int64_t
  PLAIT_PARAM_REAL,   // double
  PLAIT_PARAM_BOOL,   // bool
  PLAIT_PARAM_CHOICE, // int: index into `choices`
  PLAIT_PARAM_TEXT,   // const char *, "" when empty
  PLAIT_PARAM_FILE,  // const char *: FILE or FILE:VAR, made relative to the job file; "" when empty
  PLAIT_PARAM_REALS, // plait_reals: one number or a list
  PLAIT_PARAM_CHOICES, // uint64_t: bit i set when choice i is listed
  PLAIT_PARAM_AXES,    // plait_axes: names of axes (or their numbers), checked against the input
  PLAIT_PARAM_TABLE    // plait_table: a list of mappings, each with the parameters of `columns`
} plait_param_kind;

typedef struct plait_reals {
  int n;
  const double *at;
} plait_reals;

typedef struct plait_axes {
  int n;
  int axis[PLAIT_DIMS]; // numbers of axes of the input, ascending
} plait_axes;

typedef struct plait_table {
  int n;
  const void *rows; // n structs of `row_size` bytes, laid out by `columns`
} plait_table;

typedef struct plait_param {
  const char *name; // NULL ends a table
  plait_param_kind kind;
  size_t offset;
  const char *unit;           // "" for a pure number
  const char *help;           // one line
  const char *standard;       // default as it would stand in the job file; NULL: must be given
  double min, max;            // range of numbers, both included; both 0: any
  const char *const *choices; // NULL-terminated, for CHOICE and CHOICES
  const struct plait_param *columns; // for TABLE
  size_t row_size;                   // for TABLE
} plait_param;

// ---- the plan of a kernel -------------------------------------------------------------------
typedef enum plait_pattern { PLAIT_MAP, PLAIT_REDUCE, PLAIT_EVOLVE, PLAIT_SOLVE } plait_pattern;

typedef enum plait_boundary { // value of a cell outside the array a b c d, at its right end:
  PLAIT_REFLECT,              // a b c d | d c b a   (half-sample symmetric)
  PLAIT_NEAREST,              // a b c d | d d d d
  PLAIT_MIRROR,               // a b c d | c b a     (whole-sample symmetric)
  PLAIT_CONSTANT,             // a b c d | k k k k
  PLAIT_PERIODIC              // a b c d | a b c d
} plait_boundary;

// A small array beside the input, whole in the memory of every rank. Row-major, missing values NaN.
typedef struct plait_aside {
  plait_type type;
  int ndim; // 0 when the plan names no file
  int64_t shape[PLAIT_DIMS];
  const void *data;
} plait_aside;

// What the kernel is asked to do: the input and nothing of the launch. *Borrowed*.
// `check` and `plan` are called with `aside` NULL, and again after each reading of files that the
// plan has named: so a plan may depend on what is in them.
typedef struct plait_problem {
  const struct plait_kernel *kernel; // the one that is asked
  const plait_array *input;
  const plait_aside *aside; // PLAIT_ASIDES of them, or NULL: not read yet
} plait_problem;

// An array that the kernel writes. Without axes (ndim 0, of a reduce) it is a single value, which
// the run also tells at its end and keeps in its report.
typedef struct plait_output {
  char name[PLAIT_NAME]; // map: "" means the name of the input
  plait_type type;
  int ndim;
  int64_t shape[PLAIT_DIMS];
  int from[PLAIT_DIMS]; // axis of the input that this axis follows (name and coordinate), or -1
  char dims[PLAIT_DIMS][PLAIT_NAME]; // name of an axis of the kernel's own (from = -1)
  const double *coord[PLAIT_DIMS];   // coordinate of an axis of its own, or NULL; *borrowed*
  char units[PLAIT_NAME];            // "" none; "=" the units of the input
  char long_name[2 * PLAIT_NAME];
  bool packed_like_input; // map: may be stored with the input's scale_factor and add_offset
  bool emitted;           // reduce: written by `emit`, follows reduced axes; the others by `finish`
} plait_output;

// reduce in steps (plait_steps): how the rows of the input, its first axis, are gone through.
typedef struct plait_stepping {
  int lanes;      // a power of 2; 0: passes over blocks. The rows are dealt to lanes in equal
                  // contiguous shares, the lanes to ranks: more ranks than lanes are idle
  int64_t rows;   // that a step takes of each lane
  int64_t window; // rows of a lane that are shuffled together, of pages from all over it
  int64_t epochs; // at most; in each every row is taken once, in another order
  double check;   // part of the rows, in pieces drawn once, that only checks, 0 .. < 1
  uint64_t seed;  // of the orders
  size_t sums[2]; // floats that the lanes of a step are summed in; of a step that checks
} plait_stepping;

// Filled by the kernel's `plan`, zeroed before. Depends on the problem and parameters alone.
typedef struct plait_plan {
  int64_t halo[PLAIT_DIMS]; // map: cells that a result reads on each side
  plait_boundary boundary[PLAIT_DIMS];
  double boundary_value;     // for PLAIT_CONSTANT
  bool reduced[PLAIT_DIMS];  // reduce: axes that disappear
  bool whole[PLAIT_DIMS];    // axes that must not be cut into blocks
  bool strips, unaligned;    // reduce: `block` takes blocks in strips; values begin at any byte
  size_t scratch_bytes;      // per thread, 64-byte aligned, for the largest block extent below
  size_t scratch_per_cell;   // more scratch per thread: this many bytes per own cell + halo
  size_t partial_bytes;      // reduce: a partial takes this many bytes ..
  size_t partial_per_cell;   // .. and this many for each cell of the axes that are kept
  size_t state_bytes;        // reduce, several passes: what one pass hands to the next
  size_t shared_bytes;       // scratch that the threads of a team have together, 64-byte aligned
  int space_ndim;            // a kernel that takes no input: the cells of this space are its input,
  int64_t space[PLAIT_DIMS]; // cut into blocks without data; then `problem->input` is NULL
  const char *aside[PLAIT_ASIDES]; // files that are read whole before the first block; NULL: none
  char aside_var[PLAIT_ASIDES][PLAIT_NAME]; // the array in that file; "" the one that it names
  plait_stepping stepping;                  // reduce in steps
  double flops_per_cell;                    // for plan and report; 0 unknown
  int noutputs;
  plait_output output[PLAIT_OUTPUTS];
} plait_plan;

// What every block function gets. One per thread; `raise` is shared.
typedef struct plait_call {
  const plait_problem *problem;
  const plait_plan *plan;
  const void *params;
  void *scratch;            // this thread's own, 64-byte aligned
  void *shared;             // the team's; what it holds is lost after the call
  const plait_aside *aside; // PLAIT_ASIDES of them
  const void *state;        // reduce: what the pass before handed on (zeroed in the first)
  int pass;                 // 0, 1, ...
  int thread, threads;
  struct plait_raise *raise;
  const struct plait_source *source; // of parts of strips
} plait_call;

// Reports that the block cannot be computed; the first message of a block wins, the run ends with
// PLAIT_KERNEL. The function goes on to its end (its team mates wait at the next `omp for`).
// *copies* the text. Threads: any.
void plait_call_raise(const plait_call *call, const char *format, ...) PLAIT_PRINTF(2, 3);
// The same where the fault lies in what was given, the input or a parameter, and shows only now
// that it is read (a missing value): PLAIT_REFUSED, exit code 2.
void plait_call_refuse(const plait_call *call, const char *format, ...) PLAIT_PRINTF(2, 3);
// Tells the user, when the run has ended, what to know about a result that is none the less kept: a
// target that was not reached, rows that were left out. From `finish` (what an earlier run counted
// must be in the partial or the state). The same text again is told once.
// *copies* the text. Threads: any.
void plait_call_warn(const plait_call *call, const char *format, ...) PLAIT_PRINTF(2, 3);

// ---- strips of a block (plan->strips; docs/kernels.md) ---------------------------------------
#define PLAIT_STRIP 16384 // cells of the kept axes in a strip, at most
typedef struct plait_strips {
  const plait_block *in;         // *borrowed*
  int64_t n, extent[PLAIT_DIMS]; // strips; of a part, at most
  int along;                     // axis on which parts follow each other
} plait_strips;
// Threads: any, all get the same. Bits: strips depend on the number of threads, results must not.
void plait_strips_make(const plait_call *call, const plait_block *in, plait_strips *strips);
// Part i of strip s, read-only, *borrowed until* this thread asks again. false: none, unreadable.
bool plait_strips_part(const plait_call *call, const plait_strips *strips, int64_t s, int64_t i,
                       plait_block *part);

// ---- patterns -------------------------------------------------------------------------------
// map: out has the box of in, without halo.
typedef struct plait_map {
  void (*block)(const plait_call *call, const plait_block *in, const plait_block *out);
} plait_map;

// reduce in steps: iterations that look at a few rows each (stochastic gradients). Every rank holds
// the state and updates it with the same sums, which the engine adds lane by lane in one tree.
typedef struct plait_batch { // the rows of a step that this rank has
  bool check;                // rows that only check: nothing is learnt from them
  int64_t epoch;             // 0, 1, ...
  int64_t total, rows;       // rows of the step: of all ranks, here
  const void *const *row;    // [rows] the first cell; the cells of a row lie side by side
  const int64_t *number;     // [rows] of the input
  const int64_t *lane;       // [lanes here + 1] lane l has rows lane[l] .. lane[l + 1]
  int nodes;                 // node i: `width[i]` (a power of 2) lanes from lane `first[i]`
  const int *first, *width;
} plait_batch;
typedef struct plait_steps {
  void (*begin)(const plait_call *call, void *state); // one thread of every rank
  // Every thread. Writes for each node the sums over its lanes: stepping.sums[check] floats, lanes
  // added like the leaves of a binary tree ((0 + 1) + (2 + 3)) so that nodes can be added further.
  void (*gather)(const plait_call *call, const plait_batch *batch, float *const sum[]);
  // Every thread, on every rank with the same sums of all lanes. The same answer on each: false
  // ends the epoch (not asked of a step that checks).
  bool (*update)(const plait_call *call, const plait_batch *batch, const float *sum, void *state);
  // One thread of every rank, after the steps of an epoch: whether there is another. `note`: a line
  // for the user ("" none); shown at the end of the epoch.
  bool (*epoch)(const plait_call *call, void *state, char note[160]);
} plait_steps;

// reduce: `block` describes one block in a partial (all of it written, nothing read);
// `merge` adds to `left` the partial `right` of the blocks that follow; `finish` turns the partial
// of all blocks of a tile into the results. Partials belong to a *tile*: a box of the kept axes,
// described by a block without data whose reduced axes have extent 1.
// Partials are plain bytes, 64-byte aligned; they travel between ranks and into the journal.
typedef struct plait_reduce {
  void (*block)(const plait_call *call, const plait_block *in, void *partial);
  void (*merge)(const plait_call *call, const plait_block *tile, void *left, const void *right);
  void (*finish)(const plait_call *call, const plait_block *tile, const void *partial,
                 const plait_block out[]);
  // Several passes (all axes reduced only). Called after a pass by one thread of every rank with
  // the same bytes: writes the state of the next pass, returns whether there is one. NULL: one
  // pass.
  bool (*next)(const plait_call *call, const void *partial, void *state);
  // Bytes of a partial, from its first on, that the pass call->pass uses: no more of it travels
  // between ranks. NULL: all.
  size_t (*used)(const plait_call *call);
  // With `next` only, or NULL: after the last pass every block once more, with the last state.
  // Writes the partial like `block` does (it is merged and goes to `finish`) and the emitted
  // outputs in the box of the block: labels, predictions. out[v].data is NULL for the others (and
  // for the emitted in `finish`).
  // Without `next` and `block`: the only pass.
  void (*emit)(const plait_call *call, const plait_block *in, void *partial,
               const plait_block out[]);
  plait_steps steps; // in place of block, merge, next and emit; `finish` gets no partial
} plait_reduce;

// evolve: the kernel says how one step advances a box of cells; the engine cuts the grid over ranks
// and threads, keeps the halos, and advances a box by several steps while it is in cache (tile.c).
//
// A step is one or more *stages*, in order. A stage writes some fields and reads any, its own cell
// and as many cells on each side as it says. Of a field that it writes it reads other cells only
// when the field is kept `twice` (then `now` is the old and `next` the new copy).
#define PLAIT_FIELDS    12
#define PLAIT_STAGES    4
#define PLAIT_DIAGNOSES 8

typedef enum plait_edge { // what lies outside a face of the grid, for the fields that change
  PLAIT_EDGE_OWN, // the kernel's business: ghost cells start at 0, and the box beside a face may
                  // write those that belong to its cells (a staggered field's last face)
  PLAIT_EDGE_PERIODIC, // both faces of an axis
  PLAIT_EDGE_EVEN,     // ghost k = cell k: no flux through the face
  PLAIT_EDGE_ODD       // ghost k = 2 value - cell k: `value` at the face
} plait_edge;

typedef struct plait_field {
  char name[PLAIT_NAME], units[PLAIT_NAME], long_name[2 * PLAIT_NAME];
  plait_type type;          // PLAIT_F32 or PLAIT_F64
  bool fixed;               // constant in time (ghost cells: copies of the cell inside)
  bool twice;               // the stage that writes it reads neighbours of it: old and new copy
  bool from_input;          // holds the input (fixed or the initial state), before `initial`
  bool idle;                // not used by `advance`
  const char *file;         // or an array from FILE:VAR, shaped as the input or as the grid, or
                            // NULL; *borrowed*
  bool stagger[PLAIT_DIMS]; // on the lower face of its cell along that axis: the kernel
                            // writes the last face, in the first ghost cell of the upper wall
  int mask; // 1 + a fixed field of this type: where it is 0 the output says "missing"
} plait_field;

typedef struct plait_stage {
  uint32_t writes;                              // bit f: field f
  int64_t below[PLAIT_DIMS], above[PLAIT_DIMS]; // cells that it reads on either side
} plait_stage;

// Filled by `plan`, zeroed before; depends on problem and parameters alone.
typedef struct plait_grid {
  int ndim; // 1 to 3
  int64_t shape[PLAIT_DIMS];
  int64_t first[PLAIT_DIMS];                     // cell of the input at which the grid starts
  char dims[PLAIT_DIMS][PLAIT_NAME];             // names of the axes; "" as in the input
  double start[PLAIT_DIMS], spacing[PLAIT_DIMS]; // centres of cells, when there is no input
  char units[PLAIT_DIMS][PLAIT_NAME];            // of those; degrees_east: gauges may be a turn off
  plait_edge edge[PLAIT_DIMS][2];
  double value[PLAIT_DIMS][2]; // for PLAIT_EDGE_ODD
  int nfields;
  plait_field field[PLAIT_FIELDS];
  int nstages;
  plait_stage stage[PLAIT_STAGES];
  size_t state_bytes; // tables that `tables` fills once (call->state)
  int ndiagnoses;
  char diagnose[PLAIT_DIAGNOSES][PLAIT_NAME]; // "volume m3"
  double flops_per_cell;                      // of a step
} plait_grid;

// A box of cells, and every field at its first cell: field f is ((T *)now[f])[k * stride[0] + ..].
// All fields have the same strides; the last is 1. Beyond a periodic edge `lo` may be negative or
// past the shape: those are the cells of the other side.
typedef struct plait_cells {
  const plait_grid *grid;
  int64_t lo[PLAIT_DIMS], n[PLAIT_DIMS];
  ptrdiff_t stride[PLAIT_DIMS];
  int stage;
  int64_t step; // 0 for the first; the state before it is at time step * dt
  double dt;    // s
  void *now[PLAIT_FIELDS], *next[PLAIT_FIELDS]; // the same unless the field is kept twice
} plait_cells;

// Every function is called by one thread for one box, by other threads for others at the same time:
// no `omp for` here. Results must not depend on how the grid is cut into boxes.
typedef struct plait_evolve {
  void (*plan)(const plait_problem *problem, const void *params, plait_grid *grid);
  // Largest stable step [s] for the cells of a box; called before dt and the tables are known, the
  // fields from files are. NULL: any step.
  double (*stable_step)(const plait_call *call, const plait_cells *box);
  void (*tables)(const plait_call *call, const plait_grid *grid, double dt, void *state); // or NULL
  void (*initial)(const plait_call *call, const plait_cells *box); // all fields; zero before
  void (*advance)(const plait_call *call, const plait_cells *box);
  // Adds the cells of a box to the sums of an output time (radius 0): pieces of rows, whose length
  // is the grid's alone, in any order, while other boxes are still on their way. NULL: none.
  void (*diagnose)(const plait_call *call, const plait_cells *box, double sum[]);
} plait_evolve;

// ---- verification ---------------------------------------------------------------------------
// Given to `verify`: runs this kernel in memory, in one process, on a small array.
//   settings  parameters as on the command line, without "params.": "sigma=2 truncate=4"
//   in, data  the array and its values, row-major
//   block     extent of the blocks, NULL for the engine's choice: results must not depend on it
//   out       one row-major array per output of the plan, each *owned by the caller*
// An evolve kernel: settings begin with "steps=N dt=SECONDS", block[0] is the depth of the time
// tiles, out gets the fields that change with time.
typedef struct plait_lab {
  plait_err (*apply)(const struct plait_lab *lab, const char *settings, const plait_array *in,
                     const void *data, const int64_t *block, void *const out[]);
  const struct plait_kernel *kernel;
} plait_lab;

// ---- integrands -----------------------------------------------------------------------------
// A function over the unit cube whose integral `montecarlo` finds: points, mirror images, error and
// target are the engine's. What a file with PLAIT_INTEGRAND says, see below.
typedef struct plait_integrand {
  int64_t dimensions; // of the cube; 0: params.dimensions
  int64_t constants;  // how many numbers params.constants must have
  // f at x[dimensions], each in (0, 1). Threads: any, so without variables of its own. Never NaN.
  double (*value)(const double *x, int64_t dimensions, const plait_reals *constants);
  // The integral in closed form, which the result is compared with; NULL: nobody knows.
  double (*exact)(int64_t dimensions, const plait_reals *constants);
} plait_integrand;

// ---- kernels --------------------------------------------------------------------------------
typedef struct plait_kernel {
  const char *name;
  const char *summary; // one line for `plait kernels`
  plait_pattern pattern;
  int version;               // goes up when results change
  const plait_param *params; // ends with a row without a name
  size_t params_size;        // of the struct that the table fills
  uint32_t takes;            // PLAIT_TAKES(..) | ..
  // NULL when it can run on this input with these parameters, else why not (one line). "NAME: why"
  // is about the parameter NAME: the error then points to where the job sets it.
  const char *(*check)(const plait_problem *problem, const void *params);
  void (*plan)(const plait_problem *problem, const void *params, plait_plan *plan);
  plait_map map;
  plait_reduce reduce;
  plait_evolve evolve;
  // Checks a property of the method, not stored digits. PLAIT_VERIFY and a message when it fails.
  plait_err (*verify)(const plait_lab *lab);
  plait_integrand integrand; // in place of all but name, summary and version
} plait_kernel;

// Adds an output with the shape and the axes of the input, named like it: what a map writes.
static inline plait_output *plait_plan_map(plait_plan *plan, const plait_problem *problem,
                                           plait_type type) {
  plait_output *output = &plan->output[plan->noutputs++];
  output->type = type;
  output->ndim = problem->input->ndim;
  for (int d = 0; d < output->ndim; d++) {
    output->shape[d] = problem->input->shape[d];
    output->from[d] = d;
  }
  return output;
}

// ---- kernel objects -------------------------------------------------------------------------
// A kernel that is not built into plait: its file ends with PLAIT_OBJECT(slope), behind
// plait_kernel_slope, is built with
//   cc $(pkg-config --cflags plait) -shared slope.c -o slope.so
// and a job says `kernel: ./slope.so`. In a kernel that is built in the line says nothing.
// The object tells the sizes of the structs that it was built with: another plait refuses it.
#define PLAIT_OBJECT_MAGIC "plait kernel 01"
#define PLAIT_LAYOUT                                                                               \
  (((((sizeof(plait_kernel) * 31 + sizeof(plait_plan)) * 31 + sizeof(plait_call)) * 31 +           \
     sizeof(plait_param)) *                                                                        \
        31 +                                                                                       \
    sizeof(plait_array) + sizeof(plait_block)) *                                                   \
       31 +                                                                                        \
   sizeof(plait_grid) + sizeof(plait_cells) + sizeof(plait_lab))
#if defined(__clang__)
#define PLAIT_COMPILER "clang"
#else
#define PLAIT_COMPILER "gcc"
#endif
typedef struct plait_object {
  char magic[16];
  const char *version, *compiler;
  uint64_t layout;
  const plait_kernel *kernel;
} plait_object;

#if defined(PLAIT_BUILT_IN)
#define PLAIT_OBJECT(kernel_name)
#else
#if defined(_OPENMP) && !defined(__FAST_MATH__)
#define PLAIT_OBJECT_FLAGS 1
#else
#define PLAIT_OBJECT_FLAGS 0
#endif
#define PLAIT_OBJECT(kernel_name)                                                                  \
  _Static_assert(PLAIT_OBJECT_FLAGS, "build kernels with -fopenmp and without -ffast-math");       \
  extern const plait_object plait_kernel_object;                                                   \
  const plait_object __attribute__((visibility("default")))                                        \
  plait_kernel_object = {PLAIT_OBJECT_MAGIC, PLAIT_VERSION, PLAIT_COMPILER, PLAIT_LAYOUT,          \
                         &plait_kernel_##kernel_name};
#endif

// An integrand of one's own is a file with one function, built and named like a kernel object:
//   static double ball(const double *x, int64_t d, const plait_reals *constants) { .. }
//   PLAIT_INTEGRAND(ball, "what it is", .dimensions = 5, .value = ball)
#define PLAIT_INTEGRAND(called, about, ...)                                                        \
  static plait_kernel plait_kernel_##called = {                                                    \
      .name = #called, .summary = about, .version = 1, .integrand = {__VA_ARGS__}};                \
  PLAIT_OBJECT(called)

// ---- help for the numerics ------------------------------------------------------------------
// Loops marked PLAIT_WIDE are compiled for AVX-512, AVX2 and plain x86-64; the machine decides at
// run time. The results are the same bits: -ffp-contract=off and no reassociation.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define PLAIT_WIDE __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define PLAIT_WIDE
#endif

// Rows of n values of any type to and from the type that a kernel calculates in. To an integer:
// rounded to nearest (ties to even) and saturated, NaN becomes its lowest value; `row` is
// overwritten. 64-bit integers keep 53 bits (24). Threads: any. Bits: same anywhere.
void plait_row_to_f32(plait_type type, const void *from, int64_t n, float *to);
void plait_row_to_f64(plait_type type, const void *from, int64_t n, double *to);
void plait_row_from_f32(plait_type type, float *row, int64_t n, void *to);
void plait_row_from_f64(plait_type type, double *row, int64_t n, void *to);

// Four random 32-bit numbers, a pure function of its arguments (Philox 4x32-10 of Random123, Salmon
// et al. 2011): number `counter` of stream `stream` under `seed`. Threads: any. Bits: same
// anywhere.
void plait_random(uint64_t seed, uint64_t stream, uint64_t counter, uint32_t out[4]);

// Uniform in the open interval (0, 1), from two of those numbers, 52 bits (with 53 the largest
// would round to 1).
static inline double plait_uniform(uint32_t high, uint32_t low) {
  uint64_t bits = ((uint64_t)high << 32 | low) >> 12;
  return ((double)bits + 0.5) * (1.0 / 4503599627370496.0);
}

#endif
