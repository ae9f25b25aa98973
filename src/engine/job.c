// SPDX-License-Identifier: BSD-3-Clause
//
// A job: top-level values and sections, each read by its table. A new section is a row of
// `sections` and a member of pl_job; a new key at the top is a row of `top_params`.
#include "engine/job.h"
#include "base/mem.h"
#include "base/path.h"
#include "engine/object.h"
#include "engine/params.h"
#include "engine/registry.h"

#include <stdio.h>
#include <string.h>

// ---- tables -----------------------------------------------------------------------------------

typedef struct top {
  const char *kernel, *input, *output, *source;
} top;

static const plait_param top_params[] = {
    {.name = "kernel",
     .kind = PLAIT_PARAM_TEXT,
     .offset = offsetof(top, kernel),
     .help = "what to compute: a name that `plait kernels` lists, or ./FILE.so"},
    {.name = "input",
     .kind = PLAIT_PARAM_FILE,
     .offset = offsetof(top, input),
     .help = "FILE or FILE:VARIABLE",
     .standard = ""},
    {.name = "output",
     .kind = PLAIT_PARAM_FILE,
     .offset = offsetof(top, output),
     .help = "FILE or FILE:VARIABLE",
     .standard = ""},
    {.name = "source",
     .kind = PLAIT_PARAM_TEXT,
     .offset = offsetof(top, source),
     .help = "where the files come from: told when one is missing",
     .standard = ""},
    {.name = NULL},
};

typedef struct section {
  const char *name;
  const plait_param *table; // NULL: the kernel's
  size_t offset;            // of its struct in pl_job, when it has a table of its own
  unsigned patterns;        // bit p set: for kernels of pattern p only; 0: for all
} section;

static const section sections[] = {
    {"params", NULL, 0, 0},
    {"run", pl_run_params, offsetof(pl_job, run), 0},
    {"evolve", pl_evolve_params, offsetof(pl_job, evolve), 1u << PLAIT_EVOLVE},
    {NULL, NULL, 0, 0},
};

// ---- reading ----------------------------------------------------------------------------------

typedef struct loading {
  pl_job *job;
  pl_reader reader;
  pl_yaml *root;
  char *dir;
  top top;
} loading;

// NULL when it cannot be told (no kernel) or the section is not for this kernel.
static const plait_param *table_of(const section *s, const plait_kernel *kernel) {
  if (s->patterns != 0 && (!kernel || !(s->patterns >> kernel->pattern & 1))) return NULL;
  return s->table ? s->table : kernel ? kernel->params : NULL;
}

static void *struct_of(const section *s, pl_job *job) {
  return s->table ? (void *)((char *)job + s->offset) : job->params;
}

static bool is_known(const char *key) {
  for (const plait_param *p = top_params; p->name; p++) {
    if (strcmp(p->name, key) == 0) return true;
  }
  for (const section *s = sections; s->name; s++) {
    if (strcmp(s->name, key) == 0) return true;
  }
  return strcmp(key, "vary") == 0;
}

// A key that belongs into a section is a likelier slip than a misspelt one.
static bool report_misplaced(const loading *load, const pl_yaml *child) {
  for (const section *s = sections; s->name; s++) {
    const plait_param *p = table_of(s, load->job->kernel);
    while (p && p->name && strcmp(p->name, child->key) != 0) p++;
    if (!p || !p->name) continue;
    pl_issue(load->reader.issues, child->key_mark, "unknown key '%.60s'; did you mean '%s.%s'?",
             child->key, s->name, p->name);
    return true;
  }
  return false;
}

static void report_unknown(const loading *load) {
  const char *names[32];
  int n = 0;
  for (const plait_param *p = top_params; p->name; p++) names[n++] = p->name;
  for (const section *s = sections; s->name && n < 30; s++) names[n++] = s->name;
  names[n++] = "vary";
  names[n] = NULL;
  for (const pl_yaml *child = load->root->first; child; child = child->next) {
    if (is_known(child->key) || report_misplaced(load, child)) continue;
    const char *near = pl_nearest(child->key, names);
    pl_issue(load->reader.issues, child->key_mark, "unknown key '%.60s'%s%s%s", child->key,
             near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
  }
}

static pl_mark mark_of(const pl_yaml *root, const char *key, const char *other) {
  const pl_yaml *node = pl_yaml_find(root, key);
  if (!node) node = pl_yaml_find(root, other);
  return node ? node->mark : root->mark;
}

static plait_err load_object(loading *load, pl_mark mark) {
  const char *path;
  TRY(pl_file_place(&load->reader, load->top.kernel, mark.origin, &path, &load->top.kernel));
  plait_err err = pl_object_load(path, &load->job->kernel);
  if (err == PLAIT_JOB) pl_issue(load->reader.issues, mark, "%s", pl_message());
  return err == PLAIT_OK ? pl_strdup(path, &load->job->object) : err == PLAIT_JOB ? PLAIT_OK : err;
}

static plait_err find_kernel(loading *load) {
  const char *name = load->top.kernel;
  pl_mark mark = mark_of(load->root, "kernel", "");
  if (!name) return PLAIT_OK; // reported as missing or of a wrong type
  if (pl_object_named(name)) return load_object(load, mark);
  load->job->kernel = pl_kernel_find(name);
  if (load->job->kernel) return PLAIT_OK;
  const char *near = pl_kernel_nearest(name), *end = strrchr(name, '.');
  bool object = end && strcmp(end, ".so") == 0;
  pl_issue(load->reader.issues, mark, "unknown kernel '%.60s'%s%s%s", name,
           object ? "; a kernel of your own is named by its path: './"
           : near ? "; did you mean '"
                  : "; `plait kernels` lists them",
           object ? name
           : near ? near
                  : "",
           object || near ? "'?" : "");
  return PLAIT_OK;
}

// A kernel that takes no type of array needs no input, an evolve kernel asks for one itself
// (check); every kernel has an output.
static void require_files(const loading *load) {
  const plait_kernel *kernel = load->job->kernel;
  bool no_input = load->top.input && load->top.input[0] == '\0';
  bool no_output = load->top.output && load->top.output[0] == '\0';
  if (kernel && kernel->takes != 0 && kernel->pattern != PLAIT_EVOLVE && no_input) {
    pl_issue(load->reader.issues, mark_of(load->root, "input", ""),
             "'input' is missing: FILE or FILE:VARIABLE");
  }
  if (no_output) {
    pl_issue(load->reader.issues, mark_of(load->root, "output", ""),
             "'output' is missing: FILE or FILE:VARIABLE, null: for none");
  }
}

static plait_err read_section(const loading *load, const section *s) {
  const plait_param *table = table_of(s, load->job->kernel);
  const pl_yaml *node = pl_yaml_find(load->root, s->name);
  char prefix[PLAIT_NAME];
  if (!table && node && load->job->kernel) {
    pl_issue(load->reader.issues, node->key_mark, "'%s' is not for the kernel %s", s->name,
             load->job->kernel->name);
  }
  if (!table) return PLAIT_OK; // no kernel, no parameters to check
  if (node && pl_yaml_null(node)) node = NULL;
  if (node && node->kind != PL_YAML_MAP) {
    pl_issue(load->reader.issues, node->mark, "'%s' must be a mapping, not %s", s->name,
             node->kind == PL_YAML_LIST ? "a list" : "a single value");
    return PLAIT_OK;
  }
  snprintf(prefix, sizeof prefix, "%s.", s->name);
  return pl_params_read(&load->reader, table, prefix, node, mark_of(load->root, s->name, "kernel"),
                        struct_of(s, load->job));
}

// Of an input that varies.
static void take_first_input(loading *load) {
  const pl_vary *vary = load->job->vary;
  for (int a = 0; vary && a < vary->naxes; a++) {
    const pl_axis *axis = &vary->axis[a];
    if (axis->place != PL_VARY_INPUT || axis->n == 0) continue;
    memcpy(&load->top.input, axis->values, sizeof load->top.input);
  }
}

static plait_err read_tree(loading *load) {
  pl_job *job = load->job;
  TRY(pl_params_fill(&load->reader, top_params, "", load->root, load->root->mark, &load->top));
  TRY(find_kernel(load));
  TRY(pl_vary_read(&load->reader, load->root, job->kernel, &job->vary));
  take_first_input(load);
  TRY(pl_calloc(1, job->kernel ? job->kernel->params_size : 0, &job->params));
  report_unknown(load);
  require_files(load);
  for (const section *s = sections; s->name; s++) TRY(read_section(load, s));
  return PLAIT_OK;
}

// ---- echo -------------------------------------------------------------------------------------

static plait_err write_echo(const loading *load) {
  pl_job *job = load->job;
  pl_text out = {0};
  pl_params_echo(top_params, &load->top, load->reader.keep, 0, &out);
  for (const section *s = sections; s->name; s++) {
    const plait_param *table = table_of(s, job->kernel);
    if (!table || !table->name) continue;
    pl_text_add(&out, "%s:\n", s->name);
    pl_params_echo(table, struct_of(s, job), load->reader.keep, 2, &out);
  }
  if (job->vary) pl_vary_echo(job->vary, load->reader.keep, &out);
  plait_err err = out.failed ? plait_fail(PLAIT_MEMORY, "out of memory") : PLAIT_OK;
  if (err == PLAIT_OK) err = pl_strdup(out.at, &job->echo);
  pl_text_free(&out);
  return err;
}

// ---- the whole --------------------------------------------------------------------------------

static plait_err keep_results(const loading *load) {
  pl_job *job = load->job;
  TRY(pl_strdup(load->top.input, &job->input));
  TRY(pl_strdup(load->top.output, &job->output));
  TRY(pl_strdup(load->top.source, &job->source));
  TRY(pl_arena_get(&load->reader.keep->arena, 1, sizeof *job->marks, &job->marks));
  job->marks->input = mark_of(load->root, "input", "kernel");
  job->marks->params = mark_of(load->root, "params", "kernel");
  job->marks->map = pl_yaml_find(load->root, "params");
  return write_echo(load);
}

static plait_err load_into(loading *load, const char *text, size_t bytes, int n,
                           const char *const overrides[]) {
  pl_issues *issues = load->reader.issues;
  TRY(pl_yaml_parse(text, bytes, PL_FROM_FILE, &load->reader.keep->arena, issues, &load->root));
  if (load->root && load->root->kind != PL_YAML_MAP) {
    pl_issue(issues, load->root->mark, "a job is a mapping of keys to values");
  } else if (load->root) {
    TRY(pl_overrides_apply(&load->reader, load->root, n, overrides));
    TRY(read_tree(load));
  }
  TRY(pl_issues_result(issues, PLAIT_JOB));
  return keep_results(load);
}

plait_err pl_job_load_text(const char *path, const char *text, size_t bytes, int n,
                           const char *const overrides[], pl_job **job) {
  pl_issues issues = {.path = path};
  pl_keep *keep = NULL;
  loading load = {0};
  plait_err err = PLAIT_OK;
  *job = NULL;
  if (bytes > PL_JOB_BYTES)
    return plait_fail(PLAIT_JOB, "%s: larger than a job file may be (1 MiB)", path);
  GUARD(pl_calloc(1, sizeof **job, job));
  GUARD(pl_calloc(1, sizeof *keep, &keep));
  (*job)->keep = keep;
  GUARD(pl_strdup(path, &(*job)->path));
  GUARD(pl_path_dir(path, &load.dir));
  keep->path = (*job)->path;
  load.job = *job;
  load.reader = (pl_reader){keep, &issues, load.dir};
  GUARD(load_into(&load, text, bytes, n, overrides));
done:
  pl_free(&load.dir);
  pl_issues_free(&issues);
  if (err != PLAIT_OK) pl_job_free(job);
  return err;
}

void pl_job_free(pl_job **job) {
  if (!*job) return;
  pl_params_free(&(*job)->params, &(*job)->keep);
  pl_free(&(*job)->path);
  pl_free(&(*job)->input);
  pl_free(&(*job)->output);
  pl_free(&(*job)->source);
  pl_free(&(*job)->echo);
  pl_free(&(*job)->object);
  pl_free(job);
}
