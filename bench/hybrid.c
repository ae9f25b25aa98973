// SPDX-License-Identifier: BSD-3-Clause
//
// A plain hybrid program, as people write it: MPI_Init_thread, then `omp parallel`. Prints, on rank
// 0, how many threads all ranks have and how many CPUs they may run on together (one node). What
// bench/placement.py compares plait with.
#define _GNU_SOURCE
#include <mpi.h>
#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

enum { CPUS = 1024 };

int main(int argc, char **argv) {
  int level, rank, threads = 0, all_threads = 0, used = 0;
  unsigned char mine[CPUS] = {0}, all[CPUS] = {0};
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &level);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
#pragma omp parallel
  {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
#pragma omp critical
    {
      threads++;
      for (int i = 0; i < CPUS; i++) mine[i] |= (unsigned char)(CPU_ISSET(i, &set) != 0);
    }
  }
  MPI_Reduce(mine, all, CPUS, MPI_UNSIGNED_CHAR, MPI_BOR, 0, MPI_COMM_WORLD);
  MPI_Reduce(&threads, &all_threads, 1, MPI_INT, MPI_SUM, 0, MPI_COMM_WORLD);
  for (int i = 0; i < CPUS; i++) used += all[i];
  if (rank == 0) printf("threads %d cpus %d\n", all_threads, used);
  MPI_Finalize();
  return 0;
}
