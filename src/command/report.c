// SPDX-License-Identifier: BSD-3-Clause
//
// plait report FILE.json: what a run measured, as a page for a browser.
#include "base/mem.h"
#include "base/path.h"
#include "command/commands.h"
#include "engine/report.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct options {
  const char *output;
} options;

static const pl_option table[] = {
    {"output", 'o', PL_OPTION_TEXT, offsetof(options, output), "FILE",
     "the page; without it the name of the report with .html", 0, 0, NULL},
    {0},
};

static plait_err read_whole(const char *path, char **text, size_t *bytes) {
  struct stat about;
  *text = NULL;
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return pl_fail_errno(PLAIT_INPUT, "cannot open", path);
  plait_err err = PLAIT_OK;
  if (fstat(fd, &about) || !S_ISREG(about.st_mode))
    err = plait_fail(PLAIT_INPUT, "%s is no file", path);
  *bytes = err == PLAIT_OK ? (size_t)about.st_size : 0;
  if (err == PLAIT_OK) err = pl_calloc(*bytes + 1, 1, text);
  if (err == PLAIT_OK) err = pl_pread_all(fd, *text, *bytes, 0, path);
  if (err != PLAIT_OK) pl_free(text);
  close(fd);
  return err;
}

// "here/a.json" -> "here/a.html"
static plait_err name_page(const options *o, const char *report, char **page) {
  pl_text name = {0};
  size_t n = strlen(report);
  if (n > 5 && !strcmp(report + n - 5, ".json")) n -= 5;
  if (o->output)
    pl_text_add(&name, "%s", o->output);
  else
    pl_text_add(&name, "%.*s.html", (int)n, report);
  *page = name.at;
  if (name.failed) return plait_fail(PLAIT_MEMORY, "out of memory");
  if (!pl_same_file(*page, report)) return PLAIT_OK;
  return plait_fail(PLAIT_USAGE, "%s is the report; the page must be another file", *page);
}

static plait_err write_page(const pl_report *report, const char *path) {
  pl_text page = {0}, said = {0};
  pl_report_page(report, &page);
  plait_err err = page.failed ? plait_fail(PLAIT_MEMORY, "out of memory")
                              : pl_write_file(path, page.at, page.length);
  pl_text_free(&page);
  TRY(err);
  pl_text_add(&said, "%s: %d rank%s of %s, for a browser\n", path, report->ranks,
              report->ranks == 1 ? "" : "s", report->kernel);
  return pl_print_text(&said);
}

static plait_err run(const pl_cli *cli) {
  char *text = NULL, *page = NULL;
  size_t bytes = 0;
  pl_report report = {0};
  plait_err err = PLAIT_OK;
  GUARD(name_page(cli->options, cli->args[0], &page));
  GUARD(read_whole(cli->args[0], &text, &bytes));
  GUARD(pl_report_read(text, bytes, cli->args[0], &report));
  err = write_page(&report, page);
done:
  pl_report_free(&report);
  pl_free(&text);
  pl_free(&page);
  return err;
}

const pl_command pl_command_report = {
    .name = "report",
    .arguments = "FILE",
    .summary = "Draws what a run measured as a page for a browser",
    .details = "FILE is what 'plait run JOB --report FILE' wrote. The page holds the timeline of\n"
               "every rank (reading, computing, writing, waiting), the numbers, and the job; it\n"
               "is one file that needs no other.\n",
    .options = table,
    .options_size = sizeof(options),
    .min_args = 1,
    .max_args = 1,
    .run = run,
};
