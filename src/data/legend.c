// SPDX-License-Identifier: BSD-3-Clause
//
// The legend below a picture: a bar of colours and two numbers, in a built-in font of 5 x 7 dots
// (the characters of a number only), so that no font library is needed.
#include "data/picture.h"
#include <stdio.h>
#include <string.h>

#define GLYPH_WIDTH  6 // with the gap
#define GLYPH_HEIGHT 7
#define MARGIN       4
#define BAR          9

static const char glyph_order[] = "0123456789-+.e";
static const unsigned char glyphs[][GLYPH_HEIGHT] = {
    // rows from the top, bit 4 is the left dot
    {14, 17, 19, 21, 25, 17, 14}, {4, 12, 4, 4, 4, 4, 14},    {14, 17, 1, 2, 4, 8, 31},
    {31, 2, 4, 2, 1, 17, 14},     {2, 6, 10, 18, 31, 2, 2},   {31, 16, 30, 1, 1, 17, 14},
    {6, 8, 16, 30, 17, 17, 14},   {31, 1, 2, 4, 8, 8, 8},     {14, 17, 17, 14, 17, 17, 14},
    {14, 17, 17, 15, 1, 2, 12},   {0, 0, 0, 31, 0, 0, 0},     {0, 4, 4, 31, 4, 4, 0},
    {0, 0, 0, 0, 0, 12, 12},      {0, 0, 14, 17, 31, 16, 14},
};

static void dot(unsigned char *rgba, int width, int x, int y) {
  if (x < 0 || x >= width || y < 0 || y >= PL_LEGEND_HEIGHT) return;
  static const unsigned char ink[4] = {40, 40, 40, 255};
  memcpy(rgba + 4 * ((size_t)y * (size_t)width + (size_t)x), ink, 4);
}

static void write_text(unsigned char *rgba, int width, int x, int y, const char *text) {
  for (; *text; text++, x += GLYPH_WIDTH) {
    const char *found = strchr(glyph_order, *text);
    if (!found) continue;
    const unsigned char *glyph = glyphs[found - glyph_order];
    for (int j = 0; j < GLYPH_HEIGHT; j++)
      for (int i = 0; i < 5; i++)
        if (glyph[j] >> (4 - i) & 1) dot(rgba, width, x + i, y + j);
  }
}

void pl_legend_paint(const pl_colormap *map, int width, unsigned char *rgba) {
  char lo[32], hi[32];
  snprintf(lo, sizeof lo, "%.4g", map->lo);
  snprintf(hi, sizeof hi, "%.4g", map->hi);
  memset(rgba, 255, (size_t)width * PL_LEGEND_HEIGHT * 4);
  int cells = width - 2 * MARGIN;
  for (int x = 0; x < cells; x++) {
    double t = cells > 1 ? (double)x / (cells - 1) : 0;
    for (int y = 0; y < BAR; y++)
      pl_colormap_color(map, map->lo * (1 - t) + map->hi * t,
                        rgba + 4 * ((size_t)(MARGIN + y) * (size_t)width + (size_t)(MARGIN + x)));
  }
  int text = MARGIN + BAR + 3;
  write_text(rgba, width, MARGIN, text, lo);
  write_text(rgba, width, width - MARGIN - GLYPH_WIDTH * (int)strlen(hi) + 1, text, hi);
}
