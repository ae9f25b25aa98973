// SPDX-License-Identifier: BSD-3-Clause
//
// Rectangles and short texts, drawn as SVG or as PNG: what a bar chart needs, without a library for
// fonts.
#ifndef PL_CANVAS_H
#define PL_CANVAS_H
#include "base/text.h"

enum { PL_CANVAS_THINGS = 512, PL_GLYPH_WIDTH = 6, PL_GLYPH_HEIGHT = 7 };

typedef struct pl_thing {
  int x, y, w, h; // pixels from the upper left; a text: x, y of its upper left, w = scale
  unsigned color; // 0xRRGGBB
  char text[96];  // "" a rectangle
} pl_thing;

typedef struct pl_canvas { // zero-initialised with width and height
  int width, height, n;
  pl_thing thing[PL_CANVAS_THINGS]; // what does not fit is left out
} pl_canvas;

void pl_canvas_rect(pl_canvas *canvas, int x, int y, int w, int h, unsigned color);
void pl_canvas_text(pl_canvas *canvas, int x, int y, int scale, unsigned color, const char *format,
                    ...) PLAIT_PRINTF(6, 7);
void pl_canvas_svg(const pl_canvas *canvas, pl_text *out);
// rgba [height, width, 4], *owned by the caller* (pl_free). Letters are drawn small; characters
// that the font lacks are left out.
plait_err pl_canvas_paint(const pl_canvas *canvas, unsigned char **rgba);
#endif
