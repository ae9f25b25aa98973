// SPDX-License-Identifier: BSD-3-Clause
//
// The picture of `plait compare`: a bar of wall time for each variant, in its parts, with a thin
// line from the fastest to the slowest run.
#include "base/mem.h"
#include "base/path.h"
#include "command/canvas.h"
#include "command/compare.h"
#include "data/png.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = 1000, LEFT = 280, BARS = 520, ROW = 38, TOP = 70, BAR = 22 };
enum { INK = 0x282828, FAINT = 0x707070, MARK = 0x1b7837 };

static bool ends(const char *path, const char *ending) {
  size_t n = strlen(path), m = strlen(ending);
  return n > m && !strcmp(path + n - m, ending);
}

bool pl_compare_can_draw(const char *path) {
  return ends(path, ".svg") || ends(path, ".png");
}

static const struct {
  const char *name;
  unsigned color;
} parts[] = {{"start-up", 0xa0a0a0},
             {"computing", 0x2b7bba},
             {"waiting for i/o", 0xe08a1e},
             {"waiting for messages", 0xc0392b}};
enum { PARTS = sizeof parts / sizeof *parts };

// Medians of parts do not add up to the median of the whole: start-up takes the difference, so that
// a bar is as long as the number beside it.
static void split(const pl_trial *t, double seconds[PARTS]) {
  double wait = fmin(t->wait, t->inside), comm = fmin(t->comm, t->inside - wait);
  seconds[0] = fmax(t->wall - t->inside, 0);
  seconds[1] = t->inside - wait - comm;
  seconds[2] = wait;
  seconds[3] = comm;
}

static void draw_bar(const pl_variant *v, int row, double scale, bool best, pl_canvas *canvas) {
  double seconds[PARTS], at = 0;
  int y = TOP + row * ROW;
  char wall[32];
  split(&v->mid, seconds);
  pl_canvas_text(canvas, 16, y + 4, 2, best ? MARK : INK, "%s", v->name);
  pl_canvas_text(canvas, 170, y + 4, 2, best ? MARK : INK, "%d x %d", v->layout.ranks,
                 v->layout.threads);
  for (int i = 0; i < PARTS; i++) {
    int from = LEFT + (int)(at * scale), to = LEFT + (int)((at + seconds[i]) * scale);
    pl_canvas_rect(canvas, from, y, to - from, BAR, parts[i].color);
    at += seconds[i];
  }
  int least = LEFT + (int)(v->least * scale), most = LEFT + (int)(v->most * scale);
  pl_canvas_rect(canvas, least, y + BAR / 2 - 1, most - least + 1, 2, INK);
  pl_format_time(v->mid.wall, wall);
  pl_canvas_text(canvas, most + 10, y + 4, 2, best ? MARK : INK, "%s%s", wall, best ? " best" : "");
}

static void draw_legend(pl_canvas *canvas, int y) {
  int x = 16;
  for (int i = 0; i < PARTS; i++) {
    pl_canvas_rect(canvas, x, y, 14, 14, parts[i].color);
    pl_canvas_text(canvas, x + 20, y, 2, FAINT, "%s", parts[i].name);
    x += 44 + (int)strlen(parts[i].name) * 2 * PL_GLYPH_WIDTH;
  }
}

static void draw(const pl_comparison *c, pl_canvas *canvas) {
  int rows = c->n + (c->has_overlap ? 2 : 0);
  double most = 1e-9;
  for (int i = 0; i < rows; i++) most = fmax(most, c->variant[i].most);
  canvas->width = WIDTH;
  canvas->height = TOP + rows * ROW + 50;
  pl_canvas_text(canvas, 16, 14, 2, INK, "%.70s (%s)", c->job, c->kernel);
  pl_canvas_text(canvas, 16, 38, 2, FAINT,
                 "wall time of %lld %s, ranks x threads on %d cores; line: all of %d runs",
                 (long long)c->variant[0].mid.units, c->unit, c->cores, c->repeats);
  for (int i = 0; i < rows; i++) draw_bar(&c->variant[i], i, BARS / most, i == c->best, canvas);
  draw_legend(canvas, TOP + rows * ROW + 16);
}

static plait_err write_svg(const pl_canvas *canvas, const char *path) {
  pl_text text = {0};
  pl_canvas_svg(canvas, &text);
  plait_err err = text.failed ? plait_fail(PLAIT_MEMORY, "out of memory")
                              : pl_write_file(path, text.at, text.length);
  pl_text_free(&text);
  return err;
}

plait_err pl_compare_draw(const pl_comparison *c, const char *path) {
  pl_canvas *canvas = NULL;
  unsigned char *rgba = NULL;
  plait_err err = PLAIT_OK;
  TRY(pl_calloc(1, sizeof *canvas, &canvas));
  draw(c, canvas);
  if (ends(path, ".svg")) {
    GUARD(write_svg(canvas, path));
  } else {
    GUARD(pl_canvas_paint(canvas, &rgba));
    GUARD(pl_png_write(path, canvas->width, canvas->height, rgba));
  }
done:
  pl_free(&rgba);
  pl_free(&canvas);
  return err;
}
