// SPDX-License-Identifier: BSD-3-Clause
//
// The peer of gaussian.py: libvips' gaussblur on every image of a stack. The input is mapped, the
// result is written with pwrite in the type of the input, as plait does. libvips uses all cores by
// itself.
//   vips_blur IN.npy OUT uint8|uint16 N HEIGHT WIDTH SIGMA
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vips/vips.h>

static void stop(const char *what) {
  fprintf(stderr, "vips_blur: %s: %s\n", what, vips_error_buffer());
  exit(1);
}

int main(int argc, char **argv) {
  if (argc != 8 || VIPS_INIT(argv[0])) stop("usage");
  VipsBandFormat format = strcmp(argv[3], "uint8") ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR;
  size_t n = strtoul(argv[4], NULL, 10), height = strtoul(argv[5], NULL, 10);
  size_t width = strtoul(argv[6], NULL, 10);
  size_t bytes = height * width * (format == VIPS_FORMAT_UCHAR ? 1 : 2);
  double sigma = strtod(argv[7], NULL);
  // the widest mask that libvips allows: it ends where the Gaussian falls below 0.001
  double min_ampl = 0.001;
  int in = open(argv[1], O_RDONLY), out = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0666);
  struct stat st;
  if (in < 0 || out < 0 || fstat(in, &st)) stop("open");
  char *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, in, 0);
  if (map == MAP_FAILED) stop("mmap");
  char *data = map + ((size_t)st.st_size - n * bytes);
  for (size_t i = 0; i < n; i++) {
    VipsImage *image =
        vips_image_new_from_memory(data + i * bytes, bytes, (int)width, (int)height, 1, format);
    VipsImage *blur = NULL, *rounded = NULL, *cast = NULL;
    if (!image ||
        vips_gaussblur(image, &blur, sigma, "precision", VIPS_PRECISION_FLOAT, "min_ampl", min_ampl,
                       NULL) ||
        vips_rint(blur, &rounded, NULL) || vips_cast(rounded, &cast, format, NULL))
      stop("gaussblur");
    size_t size = 0;
    void *pixels = vips_image_write_to_memory(cast, &size);
    if (!pixels || size != bytes || pwrite(out, pixels, size, (off_t)(i * bytes)) != (ssize_t)size)
      stop("write");
    g_free(pixels);
    g_object_unref(cast);
    g_object_unref(rounded);
    g_object_unref(blur);
    g_object_unref(image);
  }
  return close(out) ? 1 : 0;
}
