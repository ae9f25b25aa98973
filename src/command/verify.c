// SPDX-License-Identifier: BSD-3-Clause
//
// plait verify [KERNEL]: asks each kernel to prove a property of its method (symmetry,
// conservation, an exact solution) on this machine, with the instruction set that it has here.
#include "base/clock.h"
#include "command/commands.h"
#include "command/station.h"
#include "engine/registry.h"
#include "engine/task.h"
#include <stdio.h>

typedef struct options {
  int format;
} options;

static const pl_option table[] = {PL_OPTION_FORMAT(options), {0}};

typedef struct verdict {
  const plait_kernel *kernel;
  plait_err err;
  double seconds;
  char message[512];
} verdict;

static verdict ask(const plait_kernel *kernel) {
  verdict v = {.kernel = kernel};
  plait_lab lab = {pl_lab_apply, kernel};
  double start = pl_now();
  v.err = kernel->verify ? kernel->verify(&lab)
                         : plait_fail(PLAIT_VERIFY, "the kernel has no verification");
  v.seconds = pl_now() - start;
  if (v.err != PLAIT_OK) snprintf(v.message, sizeof v.message, "%s", pl_message());
  return v;
}

static void add_text(pl_text *out, const verdict *v) {
  char time[32];
  pl_format_time(v->seconds, time);
  pl_text_add(out, "%-12s %s (%s)%s%s\n", v->kernel->name, v->err == PLAIT_OK ? "ok" : "FAILED",
              time, *v->message ? ": " : "", v->message);
}

static void add_json(pl_json *out, const verdict *v) {
  pl_json_open(out, NULL, '{');
  pl_json_string(out, "kernel", v->kernel->name);
  pl_json_bool(out, "ok", v->err == PLAIT_OK);
  pl_json_real(out, "seconds", v->seconds);
  if (*v->message) pl_json_string(out, "message", v->message);
  pl_json_close(out, '}');
}

static plait_err verify_all(const plait_kernel *const kernels[], int n, int format) {
  pl_text text = {0};
  pl_json json = {0};
  int failed = 0;
  pl_json_open(&json, NULL, '{');
  pl_json_int(&json, "schema_version", 1);
  pl_json_open(&json, "kernels", '[');
  for (int i = 0; i < n; i++) {
    verdict v = ask(kernels[i]);
    failed += v.err != PLAIT_OK;
    add_text(&text, &v);
    add_json(&json, &v);
  }
  pl_json_close(&json, ']');
  pl_json_close(&json, '}');
  plait_err err = format == PL_FORMAT_JSON ? pl_print_json(&json) : pl_print_text(&text);
  pl_text_free(format == PL_FORMAT_JSON ? &text : &json.text);
  TRY(err);
  if (failed) return plait_fail(PLAIT_VERIFY, "%d of %d kernels failed", failed, n);
  return PLAIT_OK;
}

static plait_err run(const pl_cli *cli) {
  const options *o = cli->options;
  const plait_kernel *one[1];
  pl_station station;
  pl_wish wish = {0};
  int n = 0;
  if (cli->nargs) TRY(pl_kernel_named(cli->args[0], &one[0]));
  plait_err err = pl_station_start(&cli->launch, &wish, false, cli->argv, &station);
  while (pl_kernels[n]) n++;
  if (err == PLAIT_OK)
    err = cli->nargs ? verify_all(one, 1, o->format) : verify_all(pl_kernels, n, o->format);
  return pl_station_stop(&station, err);
}

const pl_command pl_command_verify = {
    .name = "verify",
    .arguments = "[KERNEL]",
    .summary = "Checks that the kernels compute what they promise, on this machine",
    .details =
        "KERNEL is a name that 'plait kernels' lists, or the path of an object: ./FILE.so.\n"
        "Without one all kernels that are built in are asked. Exits with 3 when one fails.\n",
    .options = table,
    .options_size = sizeof(options),
    .max_args = 1,
    .run = run,
};
