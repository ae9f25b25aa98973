// SPDX-License-Identifier: BSD-3-Clause
//
// The wire over MPI; the only file that includes mpi.h. Everything is started in its non-blocking
// form and then polled with growing naps (pl_patience_wait): Open MPI's own waiting burns a core
// that a team mate may need. The price is up to a nap (20 us .. 1 ms) when the others are late.
//
// Counters are one-sided: a shared lock on a target is taken when it is first used and kept, one
// fetch-and-add is then MPI_Fetch_and_op and a flush of that target. Compare-and-swap crashes in
// Open MPI 4.1.4 and is not atomic under SimGrid's SMPI; lock_all does not scale there. Where all
// ranks share a node osc/rdma is switched off before MPI starts, so that osc/sm serves the windows.
// One fetch-and-add, us, all ranks at once, Open MPI 4.1.4 on 2 cores, 2 ranks / 4 ranks:
//   osc/rdma (default) 0.1-0.15 / 3.2-10, osc/sm 0.04-0.09 / 0.05-0.12
// Between nodes without RDMA it is osc/pt2pt (170-240 us over TCP on one machine), which serves a
// counter only while its owner is inside MPI: pl_comm_poke.
#include "host/comm_wire.h"
#include "base/environ.h"
#include "base/mem.h"
#include "host/launch.h"
#include "host/transport.h"
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The pieces of one message, all of one tag: MPI keeps their order. None is empty but the only one.
typedef struct pieces {
  size_t n;
  MPI_Request *at, one; // at: &one, or n of them behind this struct
  bool kept, used;      // stands in the joint
} pieces;

enum { KEPT = 64 };
typedef struct joint {
  MPI_Comm mpi;
  // For messages of one piece: a rank that has no memory left can still send what the others wait
  // for, more than all halos of a part at once.
  pieces kept[KEPT];
  bool initialised; // by us, so we finalise
} joint;

static MPI_Comm mpi_of(const pl_comm *comm) {
  return ((const joint *)comm->link)->mpi;
}

static plait_err fail_mpi(int code, const char *what) {
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  return plait_fail(PLAIT_COMM, "%s: %s", what, text);
}

static plait_err check(int code, const char *what) {
  return code == MPI_SUCCESS ? PLAIT_OK : fail_mpi(code, what);
}

static plait_err finish(int code, MPI_Request *request, const char *what) {
  pl_patience patience = {0};
  int done = 0;
  TRY(check(code, what));
  for (;;) {
    TRY(check(MPI_Test(request, &done, MPI_STATUS_IGNORE), what));
    if (done) return PLAIT_OK;
    pl_patience_wait(&patience);
  }
}

// ---- collectives ----------------------------------------------------------------------------
static plait_err barrier(pl_comm *comm) {
  MPI_Request request;
  return finish(MPI_Ibarrier(mpi_of(comm), &request), &request, "barrier");
}

static int piece_at(const pl_comm *comm, size_t bytes, size_t offset) {
  size_t rest = bytes - offset;
  return (int)(rest < comm->piece ? rest : comm->piece);
}

static plait_err bcast(pl_comm *comm, void *data, size_t bytes, int root) {
  for (size_t at = 0; at < bytes; at += comm->piece) {
    MPI_Request request;
    int code = MPI_Ibcast((char *)data + at, piece_at(comm, bytes, at), MPI_BYTE, root,
                          mpi_of(comm), &request);
    TRY(finish(code, &request, "broadcast"));
  }
  return PLAIT_OK;
}

// One piece of every rank's part. `part` is as long as a piece but counts as long as a rank's whole
// part, so that the pieces of the ranks land `bytes` apart.
static plait_err gather_piece(pl_comm *comm, const char *mine, int n, char *all, MPI_Datatype part,
                              int root) {
  MPI_Request request;
  int code = root < 0 ? MPI_Iallgather(mine, n, MPI_BYTE, all, 1, part, mpi_of(comm), &request)
                      : MPI_Igather(mine, n, MPI_BYTE, all, 1, part, root, mpi_of(comm), &request);
  return finish(code, &request, "gather");
}

static plait_err gather_pieces(pl_comm *comm, const char *mine, size_t bytes, char *all, int root) {
  bool takes = root < 0 || root == comm->rank; // `all` may be NULL elsewhere
  for (size_t at = 0; at < bytes; at += comm->piece) {
    int n = piece_at(comm, bytes, at);
    MPI_Datatype plain, part;
    TRY(check(MPI_Type_contiguous(n, MPI_BYTE, &plain), "gather"));
    TRY(check(MPI_Type_create_resized(plain, 0, (MPI_Aint)bytes, &part), "gather"));
    TRY(check(MPI_Type_commit(&part), "gather"));
    plait_err err = gather_piece(comm, mine + at, n, takes ? all + at : NULL, part, root);
    MPI_Type_free(&part);
    MPI_Type_free(&plain);
    if (err != PLAIT_OK) return err;
  }
  return PLAIT_OK;
}

static plait_err gather(pl_comm *comm, const void *mine, size_t bytes, void *all, int root) {
  if (bytes > comm->piece) return gather_pieces(comm, mine, bytes, all, root);
  MPI_Request request;
  int n = (int)bytes;
  int code = root < 0
                 ? MPI_Iallgather(mine, n, MPI_BYTE, all, n, MPI_BYTE, mpi_of(comm), &request)
                 : MPI_Igather(mine, n, MPI_BYTE, all, n, MPI_BYTE, root, mpi_of(comm), &request);
  return finish(code, &request, "gather");
}

static plait_err reduce(pl_comm *comm, int64_t *values, int n, bool sum) {
  MPI_Request request;
  int code = MPI_Iallreduce(MPI_IN_PLACE, values, n, MPI_INT64_T, sum ? MPI_SUM : MPI_MAX,
                            mpi_of(comm), &request);
  return finish(code, &request, "reduction");
}

// ---- messages -------------------------------------------------------------------------------
static pieces *kept_pieces(pl_comm *comm) {
  joint *j = comm->link;
  for (int i = 0; i < KEPT; i++)
    if (!j->kept[i].used) return &j->kept[i];
  return NULL;
}

static plait_err start_pieces(pl_comm *comm, size_t bytes, pieces **out) {
  size_t n = bytes == 0 ? 1 : (bytes - 1) / comm->piece + 1;
  pieces *p = n == 1 ? kept_pieces(comm) : NULL;
  bool kept = p != NULL;
  if (!kept) TRY(pl_alloc(1, sizeof *p + n * sizeof p->at[0], &p));
  *p = (pieces){.n = n, .kept = kept, .used = true};
  p->at = kept ? &p->one : (MPI_Request *)(p + 1);
  for (size_t i = 0; i < n; i++) p->at[i] = MPI_REQUEST_NULL;
  *out = p;
  return PLAIT_OK;
}

static void free_pieces(pieces *p) {
  if (p->kept)
    p->used = false;
  else
    pl_free(&p);
}

static plait_err send(pl_comm *comm, const void *data, size_t bytes, int to, int tag, void **impl) {
  pieces *p = NULL;
  TRY(start_pieces(comm, bytes, &p));
  for (size_t i = 0; i < p->n; i++) {
    size_t at = i * comm->piece;
    int code = MPI_Isend((const char *)data + at, piece_at(comm, bytes, at), MPI_BYTE, to, tag,
                         mpi_of(comm), &p->at[i]);
    TRY(check(code, "send")); // started pieces are left to the end of the run: their data is in use
  }
  *impl = p;
  return PLAIT_OK;
}

static plait_err receive(pl_comm *comm, void *data, size_t bytes, int from, int tag, void **impl) {
  pieces *p = NULL;
  TRY(start_pieces(comm, bytes, &p));
  for (size_t i = 0; i < p->n; i++) {
    size_t at = i * comm->piece;
    int code = MPI_Irecv((char *)data + at, piece_at(comm, bytes, at), MPI_BYTE, from, tag,
                         mpi_of(comm), &p->at[i]);
    TRY(check(code, "receive"));
  }
  *impl = p;
  return PLAIT_OK;
}

static plait_err test(pl_comm *comm, void *impl, bool *done) {
  (void)comm;
  pieces *p = impl;
  *done = false;
  for (size_t i = 0; i < p->n; i++) {
    int one = 0, code = MPI_Test(&p->at[i], &one, MPI_STATUS_IGNORE);
    if (code != MPI_SUCCESS) {
      free_pieces(p);
      return fail_mpi(code, "message");
    }
    if (!one) return PLAIT_OK;
  }
  *done = true;
  free_pieces(p);
  return PLAIT_OK;
}

static plait_err poke(pl_comm *comm) {
  int found;
  return check(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, mpi_of(comm), &found, MPI_STATUS_IGNORE),
               "probe");
}

// ---- counters -------------------------------------------------------------------------------
typedef struct window {
  MPI_Win win;
  int size;
  bool locked[]; // by rank: a shared lock is held
} window;

static plait_err lock(window *w, int rank) {
  if (w->locked[rank]) return PLAIT_OK;
  TRY(check(MPI_Win_lock(MPI_LOCK_SHARED, rank, 0, w->win), "counter lock"));
  w->locked[rank] = true;
  return PLAIT_OK;
}

static plait_err zero(window *w, int rank, int64_t *own, int n) {
  TRY(check(MPI_Win_lock(MPI_LOCK_EXCLUSIVE, rank, 0, w->win), "counter lock"));
  memset(own, 0, (size_t)n * sizeof *own);
  return check(MPI_Win_unlock(rank, w->win), "counter unlock");
}

static plait_err counters_start(pl_comm *comm, int n, void **impl) {
  window *w = NULL;
  int64_t *own = NULL;
  plait_err err = pl_calloc(1, sizeof *w + (size_t)comm->size * sizeof w->locked[0], &w);
  TRY(pl_comm_agree(comm, err)); // w leaks only on the way out
  w->size = comm->size;
  MPI_Aint bytes = (MPI_Aint)sizeof *own * n;
  TRY(check(MPI_Win_allocate(bytes, sizeof *own, MPI_INFO_NULL, mpi_of(comm), &own, &w->win),
            "counter window"));
  MPI_Win_set_errhandler(w->win, MPI_ERRORS_RETURN);
  err = zero(w, comm->rank, own, n);
  *impl = w;
  return pl_comm_agree(comm, err); // also the barrier between zeroing and use
}

static plait_err counters_add(void *impl, int rank, int index, int64_t delta, int64_t *before) {
  window *w = impl;
  TRY(lock(w, rank));
  TRY(check(MPI_Fetch_and_op(&delta, before, MPI_INT64_T, rank, index, MPI_SUM, w->win),
            "counter"));
  return check(MPI_Win_flush(rank, w->win), "counter flush");
}

static void counters_stop(pl_comm *comm, void *impl) {
  window *w = impl;
  for (int i = 0; i < w->size; i++)
    if (w->locked[i]) MPI_Win_unlock(i, w->win);
  barrier(comm); // MPI_Win_free waits for all ranks by spinning; here they sleep
  MPI_Win_free(&w->win);
  pl_free(&w);
}

// ---- start and end --------------------------------------------------------------------------
static void stop(pl_comm *comm) {
  joint *l = comm->link;
  if (comm->size > 1) barrier(comm); // as above, for MPI_Finalize
  MPI_Comm_free(&l->mpi);
  if (l->initialised) MPI_Finalize();
  pl_free(&comm->link);
}

static plait_err split(pl_comm *comm, int part, pl_comm *out) {
  TRY(pl_calloc(1, sizeof(joint), &out->link)); // leaks only on the way out
  MPI_Comm *mpi = &((joint *)out->link)->mpi;
  TRY(check(MPI_Comm_split(mpi_of(comm), part, comm->rank, mpi), "MPI_Comm_split"));
  MPI_Comm_rank(*mpi, &out->rank);
  MPI_Comm_size(*mpi, &out->size);
  out->wire = comm->wire;
  return PLAIT_OK;
}

static void abort_all(pl_comm *comm, int exit_code) {
  MPI_Abort(mpi_of(comm), exit_code);
}

static const pl_wire wire = {
    .barrier = barrier,
    .bcast = bcast,
    .gather = gather,
    .reduce = reduce,
    .send = send,
    .receive = receive,
    .test = test,
    .poke = poke,
    .split = split,
    .counters_start = counters_start,
    .counters_add = counters_add,
    .counters_stop = counters_stop,
    .stop = stop,
    .abort = abort_all,
};

bool pl_comm_has_mpi(void) {
  return true;
}

// "Open MPI v4.1.4, package: ..." -> "Open MPI 4.1.4". Callable before MPI starts.
const char *pl_comm_library(void) {
  static char text[64];
  char full[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0, major = 0, minor = 0, patch = 0;
  if (MPI_Get_library_version(full, &length) != MPI_SUCCESS) return "MPI";
  if (sscanf(full, "Open MPI v%d.%d.%d", &major, &minor, &patch) == 3)
    snprintf(text, sizeof text, "Open MPI %d.%d.%d", major, minor, patch);
  else
    snprintf(text, sizeof text, "%.*s", (int)strcspn(full, ",\n"), full);
  return text;
}

const char *pl_comm_threads(void) {
  static const struct {
    int level;
    const char *name;
  } levels[] = {{MPI_THREAD_SINGLE, "MPI_THREAD_SINGLE"},
                {MPI_THREAD_FUNNELED, "MPI_THREAD_FUNNELED"},
                {MPI_THREAD_SERIALIZED, "MPI_THREAD_SERIALIZED"},
                {MPI_THREAD_MULTIPLE, "MPI_THREAD_MULTIPLE"}};
  int running = 0, over = 0, level = 0;
  MPI_Initialized(&running);
  MPI_Finalized(&over);
  if (!running || over) return "";
  MPI_Query_thread(&level);
  for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
    if (levels[i].level == level) return levels[i].name;
  return "";
}

static plait_err refuse_bare_srun(const pl_launch *launch) {
  if (strcmp(launch->launcher, "srun") != 0 || getenv("PMIX_RANK") != NULL ||
      getenv("PMI_RANK") != NULL || getenv("PMI_FD") != NULL)
    return PLAIT_OK;
  return plait_fail(PLAIT_USAGE,
                    "srun started %d processes that cannot find each other: use 'srun --mpi=pmix' "
                    "('srun --mpi=list' shows what this Slurm has) or mpirun",
                    launch->size);
}

static plait_err start_mpi(joint *l) {
  int running = 0, over = 0, level = 0;
  MPI_Initialized(&running);
  MPI_Finalized(&over);
  if (over) return plait_fail(PLAIT_COMM, "MPI has ended and cannot start again in this process");
  if (!running) {
    pl_launch launch;
    pl_launch_find(&launch);
    TRY(refuse_bare_srun(&launch));
    pl_transport_choose(&launch);
    TRY(check(MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &level), "MPI_Init_thread"));
    l->initialised = true;
  }
  pl_environ_share(); // with threads of MPI
  MPI_Query_thread(&level);
  if (level < MPI_THREAD_SERIALIZED && getenv("SMPI_GLOBAL_SIZE") == NULL)
    return plait_fail(PLAIT_COMM, "this MPI lets only the main thread communicate; plait needs "
                                  "MPI_THREAD_SERIALIZED");
  MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
  TRY(check(MPI_Comm_dup(MPI_COMM_WORLD, &l->mpi), "MPI_Comm_dup"));
  return check(MPI_Comm_set_errhandler(l->mpi, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
}

static plait_err refuse_singletons(int size, int promised_size) {
  if (size >= promised_size) return PLAIT_OK;
  return plait_fail(
      PLAIT_USAGE,
      "%d processes were started, but MPI joined only %d: use 'srun --mpi=pmix', or the "
      "mpirun that belongs to %s",
      promised_size, size, pl_comm_library());
}

plait_err pl_comm_start(bool launched, int promised_size, pl_comm **out) {
  plait_err err = PLAIT_OK;
  pl_comm *comm = NULL;
  *out = NULL;
  TRY(pl_comm_alone(&comm));
  if (launched) {
    GUARD(pl_calloc(1, sizeof(joint), &comm->link));
    joint *l = comm->link;
    GUARD(start_mpi(l));
    comm->wire = &wire;
    MPI_Comm_rank(l->mpi, &comm->rank);
    MPI_Comm_size(l->mpi, &comm->size);
    GUARD(refuse_singletons(comm->size, promised_size));
  }
  *out = comm;
  return PLAIT_OK;
done:
  if (comm->wire == NULL) pl_free(&comm->link);
  pl_comm_stop(&comm);
  return err;
}
