// SPDX-License-Identifier: BSD-3-Clause
//
// Owning a layout: free and deep copy.
#include "base/mem.h"
#include "data/output.h"
#include <string.h>

void pl_layout_free(pl_layout *layout) {
  if (layout == NULL) return;
  for (int i = 0; i < layout->ncoords; i++) {
    pl_attrs_free(&layout->coords[i].attrs);
    pl_free(&layout->coords[i].data);
  }
  pl_free(&layout->coords);
  for (int i = 0; i < layout->nvars; i++) pl_attrs_free(&layout->vars[i].attrs);
  pl_attrs_free(&layout->global);
  memset(layout, 0, sizeof *layout);
}

static plait_err copy_coords(const pl_layout *from, pl_layout *to) {
  if (from->ncoords == 0) return PLAIT_OK;
  TRY(pl_calloc((size_t)from->ncoords, sizeof *to->coords, &to->coords));
  for (int i = 0; i < from->ncoords; i++) {
    TRY(pl_coord_copy(&from->coords[i], &to->coords[i]));
    to->ncoords = i + 1;
  }
  return PLAIT_OK;
}

plait_err pl_layout_copy(const pl_layout *from, pl_layout *to) {
  plait_err err = PLAIT_OK;
  *to = *from;
  to->ncoords = 0;
  to->coords = NULL;
  to->global = (pl_attrs){0};
  for (int i = 0; i < to->nvars; i++) to->vars[i].attrs = (pl_attrs){0};
  GUARD(copy_coords(from, to));
  GUARD(pl_attrs_copy(&from->global, &to->global));
  for (int i = 0; i < to->nvars; i++)
    GUARD(pl_attrs_copy(&from->vars[i].attrs, &to->vars[i].attrs));
  return PLAIT_OK;
done:
  pl_layout_free(to);
  return err;
}
