// SPDX-License-Identifier: BSD-3-Clause
//
// The formats by name, for the two tables (dataset.c, output.c) alone. A new format is one file,
// one line here and one line in its table; a format that is not built in is left out of the table.
#ifndef PL_FORMATS_H
#define PL_FORMATS_H
#include "data/dataset.h"
#include "data/output.h"

extern const pl_format pl_format_netcdf; // classic, NetCDF-4
extern const pl_format pl_format_npy;
extern const pl_format pl_format_npz;
extern const pl_format pl_format_generate;
extern const pl_format pl_format_idx; // gzip or not

extern const pl_outformat pl_outformat_netcdf4; // .nc
extern const pl_outformat pl_outformat_cdf5, pl_outformat_cdf2, pl_outformat_cdf1;
extern const pl_outformat pl_outformat_npy;
extern const pl_outformat pl_outformat_npz;
extern const pl_outformat pl_outformat_null;
#endif
