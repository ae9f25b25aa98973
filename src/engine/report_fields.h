// SPDX-License-Identifier: BSD-3-Clause
//
// The numbers of a meter as they stand in a report: one table for writing and for reading.
#ifndef PL_REPORT_FIELDS_H
#define PL_REPORT_FIELDS_H
#include "engine/report.h"

typedef struct pl_meter_field {
  const char *name;
  enum { PL_FIELD_INT, PL_FIELD_WHOLE, PL_FIELD_REAL } kind; // int, int64_t, double
  size_t offset;
} pl_meter_field;
extern const pl_meter_field pl_meter_fields[]; // ends with name NULL
#endif
