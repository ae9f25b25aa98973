// SPDX-License-Identifier: BSD-3-Clause
//
// Batch scripts and Slurm's answers, without Slurm. Names are judged by a shell that reads the
// script.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "command/slurm.h"

static const pl_batch plain = {.program = "/opt/plait",
                               .dir = "/tmp",
                               .job = "job.yaml",
                               .name = "job",
                               .nodes = 4,
                               .tasks = 2,
                               .cpus = 16,
                               .memory = (int64_t)3 << 30,
                               .seconds = 7200,
                               .cpus_why = "of a rank",
                               .memory_why = "of a node",
                               .time_why = "of all"};

static char *script_of(const pl_batch *batch) {
  pl_text text = {0};
  pl_batch_script(batch, &text);
  assert_false(text.failed);
  assert_non_null(text.at);
  return text.at;
}

static void has(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg("no '%s' in:\n%.800s", part, text);
}

static void numbers_are_directives(void **state) {
  (void)state;
  pl_batch b = plain;
  b.partition = "fast,slow";
  b.account = "p-1";
  char *s = script_of(&b);
  assert_int_equal(strncmp(s, "#!/bin/bash\n", 12), 0);
  has(s, "\n#SBATCH --job-name=job\n");
  has(s, "\n#SBATCH --nodes=4 ");
  has(s, "\n#SBATCH --ntasks-per-node=2 ");
  has(s, "\n#SBATCH --cpus-per-task=16 ");
  has(s, "\n#SBATCH --mem=3072M ");
  has(s, "\n#SBATCH --time=02:00:00 ");
  has(s, "\n#SBATCH --signal=B:USR1@120 ");
  has(s, "\n#SBATCH --partition=fast,slow\n");
  has(s, "\n#SBATCH --account=p-1\n");
  has(s, "\narguments=('job.yaml')\n");
  has(s, pl_batch_body);
  free(s);
}

static void times_are_whole_minutes_up(void **state) {
  static const struct {
    double seconds;
    const char *line, *signal;
  } table[] = {{1, "--time=00:01:00 ", "@15 "},        {60, "--time=00:01:00 ", "@15 "},
               {61, "--time=00:02:00 ", "@30 "},       {3600, "--time=01:00:00 ", "@120 "},
               {86400, "--time=1-00:00:00 ", "@120 "}, {90061, "--time=1-01:02:00 ", "@120 "}};
  (void)state;
  for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
    pl_batch b = plain;
    b.seconds = table[i].seconds;
    char *s = script_of(&b);
    has(s, table[i].line);
    has(s, table[i].signal);
    free(s);
  }
}

// The words that a shell makes of the arguments, a line each, and what else it printed.
static void read_by_a_shell(const pl_batch *batch, char *out, size_t room) {
  char path[] = "/tmp/test_slurm_XXXXXX", command[256];
  char *s = script_of(batch), *body = strstr(s, "# ---- from here on");
  int fd = mkstemp(path);
  assert_true(fd >= 0);
  assert_non_null(body);
  assert_true(write(fd, s, (size_t)(body - s)) == body - s);
  assert_true(write(fd, "printf '<%s>' \"$program\" \"${arguments[@]}\"\n", 43) == 43);
  close(fd);
  snprintf(command, sizeof command, "bash %s 2>&1", path);
  FILE *pipe = popen(command, "r");
  assert_non_null(pipe);
  size_t n = fread(out, 1, room - 1, pipe);
  out[n] = 0;
  pclose(pipe);
  unlink(path);
  free(s);
}

static void a_shell_reads_every_name_back(void **state) {
  static const char *const names[] = {
      "a b;$(echo no).yaml", "it's.yaml", "`echo no`", "two\nlines #SBATCH",
      "\"q\" \\ $x",         "'",         "*",         "~",
      "\xc3\xa4\xff"};
  char out[1024], expected[1024];
  (void)state;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    pl_batch b = plain;
    b.job = b.name = b.program = names[i];
    b.args = &names[i];
    b.nargs = 1;
    b.force = true;
    read_by_a_shell(&b, out, sizeof out);
    snprintf(expected, sizeof expected, "<%s><--force><%s><%s>", names[i], names[i], names[i]);
    assert_string_equal(out, expected);
  }
  pl_batch b = plain;
  b.job = "-x.yaml";
  read_by_a_shell(&b, out, sizeof out);
  assert_string_equal(out, "</opt/plait><./-x.yaml>");
  b.dir = "/nowhere/it's";
  read_by_a_shell(&b, out, sizeof out);
  assert_null(strchr(out, '<')); // it goes nowhere, and on no further
}

static void names_of_batch_jobs_are_tame(void **state) {
  (void)state;
  pl_batch b = plain;
  b.name = "a b%j\n#SBATCH --x=y";
  char *s = script_of(&b);
  has(s, "\n#SBATCH --job-name=a_b_j__SBATCH_--x_y\n");
  free(s);
  b.name = "";
  s = script_of(&b);
  has(s, "\n#SBATCH --job-name=plait\n");
  free(s);
  assert_true(pl_batch_word("gpu-a,b_1@x:2+3.4"));
  assert_false(pl_batch_word("a b"));
  assert_false(pl_batch_word("a\nb"));
  assert_false(pl_batch_word("$(x)"));
  assert_false(pl_batch_word(""));
}

static const char answer[] =
    "JobId=12 ArrayJobId=11 JobName=x\n   UserId=me(1) GroupId=me(1) MCS_label=N/A\n"
    "   JobState=RUNNING Reason=None Dependency=(null)\n"
    "   Requeue=1 Restarts=2 BatchFlag=1 Reboot=0 ExitCode=0:0\n"
    "   RunTime=00:01:02 TimeLimit=01:00:00 TimeMin=N/A\n"
    "   ReqNodeList=(null) ExcNodeList=(null)\n   NodeList=n[1-2]\n"
    "   StdErr=/home/a b/x.log\n   StdOut=/home/a b/x JobState=LOST.log\n   Power=\n";

static void answers_are_read(void **state) {
  pl_batch_state s;
  (void)state;
  assert_true(pl_batch_parse(answer, &s));
  assert_string_equal(s.id, "12");
  assert_string_equal(s.state, "RUNNING");
  assert_string_equal(s.reason, "");
  assert_int_equal(s.restarts, 2);
  assert_string_equal(s.nodes, "n[1-2]");
  assert_string_equal(s.run_time, "00:01:02");
  assert_string_equal(s.limit, "01:00:00");
  assert_string_equal(s.exit_code, "0:0");
  assert_string_equal(s.log, "/home/a b/x JobState=LOST.log");
  assert_false(pl_batch_ended(&s));
  assert_true(pl_batch_parse("JobId=13 ArrayJobId=11 ArrayTaskId=2 X=y\n JobState=RUNNING\n", &s));
  assert_string_equal(s.id, "11_2");
  assert_false(pl_batch_parse("slurm_load_jobs error: Invalid job id specified\n", &s));
  assert_false(pl_batch_parse("", &s));
  assert_true(pl_batch_parse("JobId=1\nJobState=NODE_FAIL Reason=NodeDown NodeList=(null)\n", &s));
  assert_true(pl_batch_ended(&s));
  assert_string_equal(s.reason, "NodeDown");
  assert_string_equal(s.nodes, "");
}

static void the_last_progress_line_counts(void **state) {
  char out[64];
  (void)state;
  pl_batch_progress("plait.sbatch: job 1\nplait:  40 %  2/5 blocks\nplait: note: x\n"
                    "plait:  60 %  3/5 blocks, left 2 s\nplait: 2 of 3\nplait:  80 %  4",
                    out, sizeof out);
  assert_string_equal(out, "60 %  3/5 blocks, left 2 s");
  pl_batch_progress("x plait:   1 %  1/5\n", out, sizeof out);
  assert_string_equal(out, "");
  pl_batch_progress("", out, sizeof out);
  assert_string_equal(out, "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_directives),
      cmocka_unit_test(times_are_whole_minutes_up),
      cmocka_unit_test(a_shell_reads_every_name_back),
      cmocka_unit_test(names_of_batch_jobs_are_tame),
      cmocka_unit_test(answers_are_read),
      cmocka_unit_test(the_last_progress_line_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
