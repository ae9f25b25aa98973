// SPDX-License-Identifier: BSD-3-Clause
//
// expect JOB RESULT.nc - checks a result against the `# expect:` lines at the end of its job:
//   # expect: VAR min A max B mean C within TOLERANCE      (any of min, max, mean, missing N)
// Reads the result with libnetcdf, not with plait, so that an error on both sides cannot cancel
// out.
#include <math.h>
#include <netcdf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct summary {
  double min, max, mean;
  size_t missing;
} summary;

static int nc(int status, const char *what) {
  if (status != NC_NOERR) fprintf(stderr, "expect: %s: %s\n", what, nc_strerror(status));
  return status;
}

static size_t count_values(int file, int var) {
  int ndims, dims[NC_MAX_VAR_DIMS];
  size_t n = 1, length;
  if (nc_inq_varndims(file, var, &ndims) || nc_inq_vardimid(file, var, dims)) return 0;
  for (int d = 0; d < ndims; d++) {
    if (nc_inq_dimlen(file, dims[d], &length)) return 0;
    n *= length;
  }
  return n;
}

static summary summarise(const double *values, size_t n, double fill) {
  summary s = {INFINITY, -INFINITY, 0, 0};
  for (size_t i = 0; i < n; i++) {
    if (isnan(values[i]) || values[i] == fill) {
      s.missing++;
      continue;
    }
    s.min = fmin(s.min, values[i]);
    s.max = fmax(s.max, values[i]);
    s.mean += values[i];
  }
  s.mean /= (double)(n - s.missing);
  return s;
}

static bool read_var(int file, const char *name, summary *s) {
  int var;
  double fill = NAN;
  if (nc(nc_inq_varid(file, name, &var), name)) return false;
  size_t n = count_values(file, var);
  double *values = malloc((n ? n : 1) * sizeof *values);
  bool ok = values && !nc(nc_get_var_double(file, var, values), name);
  if (ok) {
    if (nc_get_att_double(file, var, "_FillValue", &fill)) fill = NAN;
    *s = summarise(values, n, fill);
  }
  free(values);
  return ok;
}

static bool near(const char *var, const char *what, double is, double expected, double within) {
  if (fabs(is - expected) <= within) return true;
  fprintf(stderr, "expect: %s of %s is %.9g, not %.9g (within %g)\n", what, var, is, expected,
          within);
  return false;
}

// One line behind "# expect:". The words come in pairs; `within` may stand anywhere.
static bool check_line(int file, char *line) {
  char *words[32] = {NULL};
  int n = 0;
  double within = 0;
  summary s;
  for (char *w = strtok(line, " \t\n"); w && n < 31; w = strtok(NULL, " \t\n")) words[n++] = w;
  if (n < 3 || n % 2 == 0 || !read_var(file, words[0], &s)) return false;
  for (int i = 1; i < n; i += 2)
    if (!strcmp(words[i], "within")) within = atof(words[i + 1]);
  bool ok = true;
  for (int i = 1; i < n; i += 2) {
    double is = !strcmp(words[i], "min")       ? s.min
                : !strcmp(words[i], "max")     ? s.max
                : !strcmp(words[i], "mean")    ? s.mean
                : !strcmp(words[i], "missing") ? (double)s.missing
                                               : NAN;
    if (strcmp(words[i], "within") != 0)
      ok = near(words[0], words[i], is, atof(words[i + 1]), within) && ok;
  }
  return ok;
}

int main(int argc, char **argv) {
  int file, checked = 0, failed = 0;
  char line[512];
  if (argc != 3) return 2;
  FILE *job = fopen(argv[1], "r");
  if (!job || nc(nc_open(argv[2], NC_NOWRITE, &file), argv[2])) return 2;
  while (fgets(line, sizeof line, job)) {
    if (strncmp(line, "# expect:", 9) != 0) continue;
    checked++;
    if (!check_line(file, line + 9)) failed++;
  }
  fclose(job);
  nc_close(file);
  if (!checked) fprintf(stderr, "expect: %s has no line '# expect:'\n", argv[1]);
  return !checked || failed;
}
