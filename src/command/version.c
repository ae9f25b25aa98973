// SPDX-License-Identifier: BSD-3-Clause
//
// plait version (or --version): what this binary was built with and what this machine offers. Does
// not start MPI.
#include "command/commands.h"
#include "data/dataset.h"
#include "data/output.h"
#include "host/comm.h"

typedef struct options {
  int format;
} options;

static const pl_option table[] = {PL_OPTION_FORMAT(options), {0}};

#ifdef _OPENMP
#define OPENMP_DATE _OPENMP
#else
#define OPENMP_DATE 0
#endif

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown"
#endif

// What the PLAIT_WIDE loops of the kernels use here: the best clone that the machine can run.
static const char *instruction_set(void) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    return "x86-64-v4 (AVX-512)";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "x86-64-v3 (AVX2)";
  return "x86-64 (SSE2)";
#else
  return "the compiler's default";
#endif
}

static plait_err print_text(void) {
  pl_text t = {0};
  pl_text_add(&t, "plait " PLAIT_VERSION "\n");
  pl_text_add(&t, "MPI           %s\n", pl_comm_library());
  pl_text_add(&t, "OpenMP        %d\n", OPENMP_DATE);
  pl_text_add(&t, "instructions  %s\n", instruction_set());
  pl_text_add(&t, "compiler      %s\n", COMPILER);
  pl_text_add(&t, "reads        ");
  for (int i = 0; pl_formats[i]; i++) pl_text_add(&t, "%s %s", i ? "," : "", pl_formats[i]->name);
  pl_text_add(&t, "\nwrites       ");
  for (int i = 0; pl_outformats[i]; i++)
    pl_text_add(&t, "%s %s", i ? "," : "", pl_outformats[i]->name);
  pl_text_add(&t, "\n");
  return pl_print_text(&t);
}

static void json_formats(pl_json *j) {
  pl_json_open(j, "reads", '[');
  for (int i = 0; pl_formats[i]; i++) pl_json_string(j, NULL, pl_formats[i]->name);
  pl_json_close(j, ']');
  pl_json_open(j, "writes", '[');
  for (int i = 0; pl_outformats[i]; i++) pl_json_string(j, NULL, pl_outformats[i]->name);
  pl_json_close(j, ']');
}

static plait_err print_json(void) {
  pl_json j = {0};
  pl_json_open(&j, NULL, '{');
  pl_json_int(&j, "schema_version", 1);
  pl_json_string(&j, "version", PLAIT_VERSION);
  pl_json_bool(&j, "mpi", pl_comm_has_mpi());
  pl_json_string(&j, "mpi_library", pl_comm_library());
  pl_json_int(&j, "openmp", OPENMP_DATE);
  pl_json_string(&j, "instructions", instruction_set());
  pl_json_string(&j, "compiler", COMPILER);
  json_formats(&j);
  pl_json_close(&j, '}');
  return pl_print_json(&j);
}

static plait_err run(const pl_cli *cli) {
  const options *o = cli->options;
  return o->format == PL_FORMAT_JSON ? print_json() : print_text();
}

const pl_command pl_command_version = {
    .name = "version",
    .arguments = "",
    .summary = "Prints the version and what it was built with",
    .details = "",
    .options = table,
    .options_size = sizeof(options),
    .run = run,
};
