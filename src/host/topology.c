// SPDX-License-Identifier: BSD-3-Clause
//
// The node as hwloc sees it, reduced to what placement and block sizes need. hwloc leaves out what
// the cpuset forbids where it can read that; we also ask the kernel: a mask of all CPUs is cut by
// it to the cpuset, also where no cgroup file system is visible. The mask is put back at once.
// Costs 3-10 ms once.
#include "host/topology.h"
#include "base/environ.h"
#include "base/mem.h"
#include "host/limits.h"
#include <hwloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY_CPUS 8192 // of the masks exchanged with the kernel

// ---- masks ----------------------------------------------------------------------------------
static bool kernel_mask(cpu_set_t *set, size_t bytes, bool whole_cpuset) {
  if (sched_getaffinity(0, bytes, set) != 0) return false;
  if (!whole_cpuset) return true;
  cpu_set_t *all = CPU_ALLOC(MANY_CPUS);
  if (all == NULL) return true;
  memset(all, 0xff, bytes);
  cpu_set_t *found = CPU_ALLOC(MANY_CPUS);
  if (found != NULL && sched_setaffinity(0, bytes, all) == 0) {
    if (sched_getaffinity(0, bytes, found) == 0)
      memcpy(all, found, bytes);
    else
      memcpy(all, set, bytes);
    sched_setaffinity(0, bytes, set);
    memcpy(set, all, bytes);
  }
  CPU_FREE(found);
  CPU_FREE(all);
  return true;
}

static hwloc_bitmap_t to_bitmap(bool whole_cpuset) {
  size_t bytes = CPU_ALLOC_SIZE(MANY_CPUS);
  cpu_set_t *set = CPU_ALLOC(MANY_CPUS);
  hwloc_bitmap_t bits = hwloc_bitmap_alloc();
  if (set != NULL && bits != NULL && kernel_mask(set, bytes, whole_cpuset)) {
    for (unsigned i = 0; i < MANY_CPUS; i++)
      if (CPU_ISSET_S(i, bytes, set)) hwloc_bitmap_set(bits, i);
  }
  CPU_FREE(set);
  return bits;
}

static plait_err list_mask(hwloc_const_bitmap_t bits, pl_topology *topology) {
  int n = hwloc_bitmap_weight(bits);
  TRY(pl_alloc((size_t)n, sizeof *topology->mask, &topology->mask));
  unsigned cpu;
  hwloc_bitmap_foreach_begin(cpu, bits) topology->mask[topology->nmask++] = (int)cpu;
  hwloc_bitmap_foreach_end();
  return PLAIT_OK;
}

// ---- CPUs -----------------------------------------------------------------------------------
static int by_core(const void *a, const void *b) {
  const pl_cpu *x = a, *y = b;
  if (x->numa != y->numa) return x->numa < y->numa ? -1 : 1;
  if (x->core != y->core) return x->core < y->core ? -1 : 1;
  return x->os < y->os ? -1 : 1;
}

static int by_thread(const void *a, const void *b) {
  const pl_cpu *x = a, *y = b;
  if (x->numa != y->numa) return x->numa < y->numa ? -1 : 1;
  if (x->thread != y->thread) return x->thread < y->thread ? -1 : 1;
  return x->core < y->core ? -1 : 1;
}

// Numbers cores, hardware threads and domains from 0 without gaps: those that the cpuset leaves.
static void number(pl_topology *t) {
  int core = -1, numa = -1, thread = 0;
  qsort(t->cpus, (size_t)t->ncpus, sizeof *t->cpus, by_core);
  pl_cpu last = {.core = -1, .numa = -1};
  for (int i = 0; i < t->ncpus; i++) {
    pl_cpu *cpu = &t->cpus[i];
    bool new_core = i == 0 || cpu->core != last.core;
    if (i == 0 || cpu->numa != last.numa) numa++;
    if (new_core) core++;
    thread = new_core ? 0 : thread + 1;
    last = *cpu;
    *cpu = (pl_cpu){.os = last.os, .core = core, .thread = thread, .numa = numa};
  }
  t->ncores = core + 1;
  t->nnuma = numa + 1;
  qsort(t->cpus, (size_t)t->ncpus, sizeof *t->cpus, by_thread);
}

static int domain_of(hwloc_topology_t hw, hwloc_obj_t pu) { // nearest memory; 0 without NUMA
  hwloc_obj_t node =
      hwloc_get_numanode_obj_by_os_index(hw, (unsigned)hwloc_bitmap_first(pu->nodeset));
  return node == NULL ? 0 : (int)node->logical_index;
}

static plait_err list_cpus(hwloc_topology_t hw, hwloc_const_bitmap_t allowed, pl_topology *t) {
  int n = hwloc_get_nbobjs_by_type(hw, HWLOC_OBJ_PU);
  TRY(pl_alloc((size_t)(n > 0 ? n : 0), sizeof *t->cpus, &t->cpus));
  for (int i = 0; i < n; i++) {
    hwloc_obj_t pu = hwloc_get_obj_by_type(hw, HWLOC_OBJ_PU, (unsigned)i);
    if (allowed != NULL && !hwloc_bitmap_isset(allowed, pu->os_index)) continue;
    hwloc_obj_t core = hwloc_get_ancestor_obj_by_type(hw, HWLOC_OBJ_CORE, pu);
    t->cpus[t->ncpus++] = (pl_cpu){.os = (int)pu->os_index,
                                   .core = core != NULL ? (int)core->logical_index : i,
                                   .numa = domain_of(hw, pu)};
  }
  if (t->ncpus == 0) return plait_fail(PLAIT_BUG, "hwloc finds no CPU that this process may use");
  number(t);
  return PLAIT_OK;
}

// ---- caches ---------------------------------------------------------------------------------
static size_t cache_bytes(hwloc_topology_t hw,
                          hwloc_obj_type_t type) { // the smallest: cores differ
  size_t least = 0;
  for (hwloc_obj_t o = NULL; (o = hwloc_get_next_obj_by_type(hw, type, o)) != NULL;)
    if (least == 0 || o->attr->cache.size < least) least = o->attr->cache.size;
  return least;
}

static void find_caches(hwloc_topology_t hw, pl_topology *t) {
  t->l1 = cache_bytes(hw, HWLOC_OBJ_L1CACHE);
  t->l2 = cache_bytes(hw, HWLOC_OBJ_L2CACHE);
  t->l3 = cache_bytes(hw, HWLOC_OBJ_L3CACHE);
  hwloc_obj_t l3 = hwloc_get_obj_by_type(hw, HWLOC_OBJ_L3CACHE, 0);
  if (l3 != NULL)
    t->l3_cores = hwloc_get_nbobjs_inside_cpuset_by_type(hw, l3->cpuset, HWLOC_OBJ_CORE);
}

// ---- the whole ------------------------------------------------------------------------------
static plait_err load(hwloc_topology_t hw, const char *synthetic) {
  if (synthetic != NULL && hwloc_topology_set_synthetic(hw, synthetic) != 0)
    return plait_fail(PLAIT_USAGE, "hwloc does not understand the topology \"%s\"", synthetic);
  if (hwloc_topology_load(hw) != 0)
    return plait_fail(PLAIT_BUG, "hwloc cannot read the topology of this machine");
  return PLAIT_OK;
}

static plait_err describe(hwloc_topology_t hw, bool real, pl_topology *t) {
  plait_err err = PLAIT_OK;
  hwloc_bitmap_t mask = real ? to_bitmap(false) : NULL, allowed = real ? to_bitmap(true) : NULL;
  if (real && (mask == NULL || allowed == NULL)) GUARD(plait_fail(PLAIT_MEMORY, "out of memory"));
  bool empty = allowed == NULL || hwloc_bitmap_iszero(allowed); // the kernel would not say: all
  GUARD(list_cpus(hw, empty ? NULL : allowed, t));
  bool unmasked = mask == NULL || hwloc_bitmap_iszero(mask);
  GUARD(list_mask(unmasked ? hwloc_topology_get_topology_cpuset(hw) : mask, t));
  find_caches(hw, t);
done:
  hwloc_bitmap_free(mask);
  hwloc_bitmap_free(allowed);
  return err;
}

// The plugins of hwloc find GPUs and X displays and read XML; they bring some twenty libraries and
// took 5 of the 8 ms here. They are not looked for, unless another thread may be reading the
// environment; what the user set stays. MPI, which uses hwloc too, finds them again.
static int init_without_plugins(hwloc_topology_t *hw) {
  static const char variable[] = "HWLOC_PLUGINS_PATH";
  bool free_to_choose = getenv(variable) == NULL && !pl_environ_shared();
  if (free_to_choose) setenv(variable, "/dev/null", 1);
  int result = hwloc_topology_init(hw);
  if (free_to_choose) unsetenv(variable);
  return result;
}

plait_err pl_topology_find(const char *synthetic, pl_topology *topology) {
  plait_err err = PLAIT_OK;
  hwloc_topology_t hw;
  *topology = (pl_topology){0};
  if (init_without_plugins(&hw) != 0) return plait_fail(PLAIT_MEMORY, "out of memory");
  GUARD(load(hw, synthetic));
  GUARD(describe(hw, synthetic == NULL, topology));
  if (synthetic == NULL) {
    pl_limits limits;
    pl_limits_find("", &limits);
    topology->quota = limits.quota;
  }
done:
  hwloc_topology_destroy(hw);
  if (err != PLAIT_OK) pl_topology_free(topology);
  return err;
}

void pl_topology_free(pl_topology *topology) {
  pl_free(&topology->cpus);
  pl_free(&topology->mask);
  *topology = (pl_topology){0};
}
