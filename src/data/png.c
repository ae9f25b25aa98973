// SPDX-License-Identifier: BSD-3-Clause
//
// PNG through libpng's simplified interface (it needs no longjmp), into memory first: a picture is
// a few MB, and pl_write_file then makes it appear whole or not at all.
#include "data/png.h"
#include "base/mem.h"
#include "base/path.h"
#include <png.h>
#include <string.h>

plait_err pl_png_write(const char *path, int width, int height, const unsigned char *rgba) {
  if (width < 1 || height < 1 || (int64_t)width * height > INT32_MAX / 4)
    return plait_fail(PLAIT_OUTPUT, "%s: a picture of %d x %d cannot be written as PNG", path,
                      width, height);
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = (png_uint_32)width;
  image.height = (png_uint_32)height;
  image.format = PNG_FORMAT_RGBA;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
  char *file = NULL;
  TRY(pl_alloc(bytes, 1, &file));
  plait_err err = PLAIT_OK;
  if (!png_image_write_to_memory(&image, file, &bytes, 0, rgba, 0, NULL))
    err = plait_fail(PLAIT_OUTPUT, "%s: %s", path, image.message);
  else
    err = pl_write_file(path, file, bytes);
  pl_free(&file);
  return err;
}
