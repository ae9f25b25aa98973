// SPDX-License-Identifier: BSD-3-Clause
//
// See canvas.h. The letters are 5 x 7 dots, enlarged by a whole number.
#include "command/canvas.h"
#include "base/err.h"
#include "base/mem.h"
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char order[] = "0123456789abcdefghijklmnopqrstuvwxyz.,:;()%/+-=<>_";
static const unsigned char glyphs[][PL_GLYPH_HEIGHT] = {
    // rows from the top, bit 4 is the left dot
    {14, 17, 19, 21, 25, 17, 14}, {4, 12, 4, 4, 4, 4, 14},    {14, 17, 1, 2, 4, 8, 31},
    {31, 2, 4, 2, 1, 17, 14},     {2, 6, 10, 18, 31, 2, 2},   {31, 16, 30, 1, 1, 17, 14},
    {6, 8, 16, 30, 17, 17, 14},   {31, 1, 2, 4, 8, 8, 8},     {14, 17, 17, 14, 17, 17, 14},
    {14, 17, 17, 15, 1, 2, 12},   {0, 0, 14, 1, 15, 17, 15},  {16, 16, 30, 17, 17, 17, 30},
    {0, 0, 14, 16, 16, 17, 14},   {1, 1, 15, 17, 17, 17, 15}, {0, 0, 14, 17, 31, 16, 14},
    {6, 9, 8, 28, 8, 8, 8},       {0, 15, 17, 17, 15, 1, 14}, {16, 16, 22, 25, 17, 17, 17},
    {4, 0, 12, 4, 4, 4, 14},      {2, 0, 6, 2, 2, 18, 12},    {16, 16, 18, 20, 24, 20, 18},
    {12, 4, 4, 4, 4, 4, 14},      {0, 0, 26, 21, 21, 17, 17}, {0, 0, 22, 25, 17, 17, 17},
    {0, 0, 14, 17, 17, 17, 14},   {0, 0, 30, 17, 30, 16, 16}, {0, 0, 15, 17, 15, 1, 1},
    {0, 0, 22, 25, 16, 16, 16},   {0, 0, 15, 16, 14, 1, 30},  {8, 8, 28, 8, 8, 9, 6},
    {0, 0, 17, 17, 17, 19, 13},   {0, 0, 17, 17, 17, 10, 4},  {0, 0, 17, 17, 21, 21, 10},
    {0, 0, 17, 10, 4, 10, 17},    {0, 0, 17, 17, 15, 1, 14},  {0, 0, 31, 2, 4, 8, 31},
    {0, 0, 0, 0, 0, 12, 12},      {0, 0, 0, 0, 12, 4, 8},     {0, 12, 12, 0, 12, 12, 0},
    {0, 12, 12, 0, 12, 4, 8},     {2, 4, 8, 8, 8, 4, 2},      {8, 4, 2, 2, 2, 4, 8},
    {24, 25, 2, 4, 8, 19, 3},     {0, 1, 2, 4, 8, 16, 0},     {0, 4, 4, 31, 4, 4, 0},
    {0, 0, 0, 31, 0, 0, 0},       {0, 0, 31, 0, 31, 0, 0},    {2, 4, 8, 16, 8, 4, 2},
    {8, 4, 2, 1, 2, 4, 8},        {0, 0, 0, 0, 0, 0, 31},
};

void pl_canvas_rect(pl_canvas *canvas, int x, int y, int w, int h, unsigned color) {
  if (canvas->n == PL_CANVAS_THINGS || w <= 0 || h <= 0) return;
  canvas->thing[canvas->n++] = (pl_thing){.x = x, .y = y, .w = w, .h = h, .color = color};
}

void pl_canvas_text(pl_canvas *canvas, int x, int y, int scale, unsigned color, const char *format,
                    ...) {
  if (canvas->n == PL_CANVAS_THINGS) return;
  pl_thing *t = &canvas->thing[canvas->n++];
  *t = (pl_thing){.x = x, .y = y, .w = scale, .color = color};
  va_list args;
  va_start(args, format);
  vsnprintf(t->text, sizeof t->text, format, args);
  va_end(args);
  if (!*t->text) canvas->n--;
}

// ---- SVG ------------------------------------------------------------------------------------
static void add_escaped(pl_text *out, const char *text) {
  for (; *text; text++) {
    if (*text == '<')
      pl_text_add(out, "&lt;");
    else if (*text == '>')
      pl_text_add(out, "&gt;");
    else if (*text == '&')
      pl_text_add(out, "&amp;");
    else if ((unsigned char)*text >= ' ')
      pl_text_add(out, "%c", *text);
  }
}

void pl_canvas_svg(const pl_canvas *canvas, pl_text *out) {
  pl_text_add(out,
              "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
              "viewBox=\"0 0 %d %d\" font-family=\"sans-serif\">\n",
              canvas->width, canvas->height, canvas->width, canvas->height);
  pl_text_add(out, "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n", canvas->width,
              canvas->height);
  for (int i = 0; i < canvas->n; i++) {
    const pl_thing *t = &canvas->thing[i];
    if (!*t->text) {
      pl_text_add(out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#%06x\"/>\n",
                  t->x, t->y, t->w, t->h, t->color);
      continue;
    }
    int size = 2 + 6 * t->w; // the height of the letters as in the picture, about
    pl_text_add(out, "<text x=\"%d\" y=\"%d\" font-size=\"%d\" fill=\"#%06x\">", t->x,
                t->y + PL_GLYPH_HEIGHT * t->w, size, t->color);
    add_escaped(out, t->text);
    pl_text_add(out, "</text>\n");
  }
  pl_text_add(out, "</svg>\n");
}

// ---- pixels ---------------------------------------------------------------------------------
static void fill(const pl_canvas *canvas, unsigned char *rgba, int x, int y, int w, int h,
                 unsigned color) {
  const unsigned char ink[4] = {(unsigned char)(color >> 16), (unsigned char)(color >> 8),
                                (unsigned char)color, 255};
  for (int j = y < 0 ? 0 : y; j < y + h && j < canvas->height; j++)
    for (int i = x < 0 ? 0 : x; i < x + w && i < canvas->width; i++)
      memcpy(rgba + 4 * ((size_t)j * (size_t)canvas->width + (size_t)i), ink, 4);
}

static void write_text(const pl_canvas *canvas, unsigned char *rgba, const pl_thing *t) {
  int x = t->x;
  for (const char *at = t->text; *at; at++, x += PL_GLYPH_WIDTH * t->w) {
    const char *found = strchr(order, tolower((unsigned char)*at));
    if (!found) continue;
    const unsigned char *glyph = glyphs[found - order];
    for (int j = 0; j < PL_GLYPH_HEIGHT; j++)
      for (int i = 0; i < 5; i++)
        if (glyph[j] >> (4 - i) & 1)
          fill(canvas, rgba, x + i * t->w, t->y + j * t->w, t->w, t->w, t->color);
  }
}

plait_err pl_canvas_paint(const pl_canvas *canvas, unsigned char **rgba) {
  size_t pixels = (size_t)canvas->width * (size_t)canvas->height;
  TRY(pl_alloc(pixels, 4, rgba));
  memset(*rgba, 255, pixels * 4);
  for (int i = 0; i < canvas->n; i++) {
    const pl_thing *t = &canvas->thing[i];
    if (*t->text)
      write_text(canvas, *rgba, t);
    else
      fill(canvas, *rgba, t->x, t->y, t->w, t->h, t->color);
  }
  return PLAIT_OK;
}
