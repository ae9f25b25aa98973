// SPDX-License-Identifier: BSD-3-Clause
//
// libnetcdf and libhdf5, loaded when the first file of theirs is met: they bring some fifty other
// libraries along (curl, Kerberos, ICU ..), which took 16 of the 20 ms that a process needed to
// start, in every rank, and twice, because a process starts itself again (host/placement_enter.c).
//
// Their functions are called by their own names. A function that is not in this list does not link.
// PL_NETCDF_LINKED: the program is linked with the libraries (static ones; tests that call them).
#ifndef PL_NETCDF_LIBRARY_H
#define PL_NETCDF_LIBRARY_H
#include "plait.h"
#include <hdf5.h>
#include <netcdf.h>

// Before any function below is called. Quiet: no error stack on stderr; no file locks, unless the
// user set HDF5_USE_FILE_LOCKING. PLAIT_INPUT: the library cannot be loaded, and why. Threads: any.
plait_err pl_netcdf_load(void);
// Begins to load in a thread of its own; pl_netcdf_load waits for it. Before other threads run, and
// nobody may change the environment until then: not before MPI_Init.
void pl_netcdf_expect(void);

#ifndef PL_NETCDF_LINKED
void *pl_netcdf_symbol(const char *name); // never NULL. Threads: any
#define PL_NETCDF_SYMBOL(name) ((__typeof__(&name))pl_netcdf_symbol(#name))

#define nc_abort             PL_NETCDF_SYMBOL(nc_abort)
#define nc_close             PL_NETCDF_SYMBOL(nc_close)
#define nc_create            PL_NETCDF_SYMBOL(nc_create)
#define nc_def_dim           PL_NETCDF_SYMBOL(nc_def_dim)
#define nc_def_var           PL_NETCDF_SYMBOL(nc_def_var)
#define nc_def_var_chunking  PL_NETCDF_SYMBOL(nc_def_var_chunking)
#define nc_def_var_endian    PL_NETCDF_SYMBOL(nc_def_var_endian)
#define nc_def_var_fill      PL_NETCDF_SYMBOL(nc_def_var_fill)
#define nc_enddef            PL_NETCDF_SYMBOL(nc_enddef)
#define nc_free_string       PL_NETCDF_SYMBOL(nc_free_string)
#define nc_get_att           PL_NETCDF_SYMBOL(nc_get_att)
#define nc_get_att_double    PL_NETCDF_SYMBOL(nc_get_att_double)
#define nc_get_att_string    PL_NETCDF_SYMBOL(nc_get_att_string)
#define nc_get_att_text      PL_NETCDF_SYMBOL(nc_get_att_text)
#define nc_get_var           PL_NETCDF_SYMBOL(nc_get_var)
#define nc_get_var_double    PL_NETCDF_SYMBOL(nc_get_var_double)
#define nc_get_vara          PL_NETCDF_SYMBOL(nc_get_vara)
#define nc_inq_att           PL_NETCDF_SYMBOL(nc_inq_att)
#define nc_inq_attname       PL_NETCDF_SYMBOL(nc_inq_attname)
#define nc_inq_dim           PL_NETCDF_SYMBOL(nc_inq_dim)
#define nc_inq_dimid         PL_NETCDF_SYMBOL(nc_inq_dimid)
#define nc_inq_dimlen        PL_NETCDF_SYMBOL(nc_inq_dimlen)
#define nc_inq_dimname       PL_NETCDF_SYMBOL(nc_inq_dimname)
#define nc_inq_format        PL_NETCDF_SYMBOL(nc_inq_format)
#define nc_inq_grp_full_ncid PL_NETCDF_SYMBOL(nc_inq_grp_full_ncid)
#define nc_inq_grp_parent    PL_NETCDF_SYMBOL(nc_inq_grp_parent)
#define nc_inq_grpname       PL_NETCDF_SYMBOL(nc_inq_grpname)
#define nc_inq_grps          PL_NETCDF_SYMBOL(nc_inq_grps)
#define nc_inq_nvars         PL_NETCDF_SYMBOL(nc_inq_nvars)
#define nc_inq_unlimdims     PL_NETCDF_SYMBOL(nc_inq_unlimdims)
#define nc_inq_var           PL_NETCDF_SYMBOL(nc_inq_var)
#define nc_inq_var_chunking  PL_NETCDF_SYMBOL(nc_inq_var_chunking)
#define nc_inq_vardimid      PL_NETCDF_SYMBOL(nc_inq_vardimid)
#define nc_inq_varid         PL_NETCDF_SYMBOL(nc_inq_varid)
#define nc_inq_varnatts      PL_NETCDF_SYMBOL(nc_inq_varnatts)
#define nc_inq_varndims      PL_NETCDF_SYMBOL(nc_inq_varndims)
#define nc_open              PL_NETCDF_SYMBOL(nc_open)
#define nc_put_att           PL_NETCDF_SYMBOL(nc_put_att)
#define nc_put_att_double    PL_NETCDF_SYMBOL(nc_put_att_double)
#define nc_put_att_text      PL_NETCDF_SYMBOL(nc_put_att_text)
#define nc_put_var           PL_NETCDF_SYMBOL(nc_put_var)
#define nc_put_var1_double   PL_NETCDF_SYMBOL(nc_put_var1_double)
#define nc_put_var_double    PL_NETCDF_SYMBOL(nc_put_var_double)
#define nc_set_alignment     PL_NETCDF_SYMBOL(nc_set_alignment)
#define nc_set_fill          PL_NETCDF_SYMBOL(nc_set_fill)
#define nc_strerror          PL_NETCDF_SYMBOL(nc_strerror)

#define H5check_version            PL_NETCDF_SYMBOL(H5check_version)
#define H5open                     PL_NETCDF_SYMBOL(H5open)
#define H5Dclose                   PL_NETCDF_SYMBOL(H5Dclose)
#define H5Dget_chunk_info_by_coord PL_NETCDF_SYMBOL(H5Dget_chunk_info_by_coord)
#define H5Dget_chunk_storage_size  PL_NETCDF_SYMBOL(H5Dget_chunk_storage_size)
#define H5Dget_create_plist        PL_NETCDF_SYMBOL(H5Dget_create_plist)
#define H5Dget_offset              PL_NETCDF_SYMBOL(H5Dget_offset)
#define H5Dget_storage_size        PL_NETCDF_SYMBOL(H5Dget_storage_size)
#define H5Dget_type                PL_NETCDF_SYMBOL(H5Dget_type)
#define H5Dopen2                   PL_NETCDF_SYMBOL(H5Dopen2)
#define H5Dread_chunk              PL_NETCDF_SYMBOL(H5Dread_chunk)
#define H5Eset_auto2               PL_NETCDF_SYMBOL(H5Eset_auto2)
#define H5Ewalk2                   PL_NETCDF_SYMBOL(H5Ewalk2)
#define H5Fclose                   PL_NETCDF_SYMBOL(H5Fclose)
#define H5Fget_create_plist        PL_NETCDF_SYMBOL(H5Fget_create_plist)
#define H5Fopen                    PL_NETCDF_SYMBOL(H5Fopen)
#define H5Pclose                   PL_NETCDF_SYMBOL(H5Pclose)
#define H5Pfill_value_defined      PL_NETCDF_SYMBOL(H5Pfill_value_defined)
#define H5Pget_chunk               PL_NETCDF_SYMBOL(H5Pget_chunk)
#define H5Pget_chunk_opts          PL_NETCDF_SYMBOL(H5Pget_chunk_opts)
#define H5Pget_fill_value          PL_NETCDF_SYMBOL(H5Pget_fill_value)
#define H5Pget_filter2             PL_NETCDF_SYMBOL(H5Pget_filter2)
#define H5Pget_layout              PL_NETCDF_SYMBOL(H5Pget_layout)
#define H5Pget_nfilters            PL_NETCDF_SYMBOL(H5Pget_nfilters)
#define H5Pget_userblock           PL_NETCDF_SYMBOL(H5Pget_userblock)
#define H5Tclose                   PL_NETCDF_SYMBOL(H5Tclose)
#define H5Tequal                   PL_NETCDF_SYMBOL(H5Tequal)
#define H5Tget_size                PL_NETCDF_SYMBOL(H5Tget_size)

// Types of HDF5 are variables, behind macros that call H5open.
#define H5T_IEEE_F32BE_g (*PL_NETCDF_SYMBOL(H5T_IEEE_F32BE_g))
#define H5T_IEEE_F32LE_g (*PL_NETCDF_SYMBOL(H5T_IEEE_F32LE_g))
#define H5T_IEEE_F64BE_g (*PL_NETCDF_SYMBOL(H5T_IEEE_F64BE_g))
#define H5T_IEEE_F64LE_g (*PL_NETCDF_SYMBOL(H5T_IEEE_F64LE_g))
#define H5T_STD_I16BE_g  (*PL_NETCDF_SYMBOL(H5T_STD_I16BE_g))
#define H5T_STD_I16LE_g  (*PL_NETCDF_SYMBOL(H5T_STD_I16LE_g))
#define H5T_STD_I32BE_g  (*PL_NETCDF_SYMBOL(H5T_STD_I32BE_g))
#define H5T_STD_I32LE_g  (*PL_NETCDF_SYMBOL(H5T_STD_I32LE_g))
#define H5T_STD_I64BE_g  (*PL_NETCDF_SYMBOL(H5T_STD_I64BE_g))
#define H5T_STD_I64LE_g  (*PL_NETCDF_SYMBOL(H5T_STD_I64LE_g))
#define H5T_STD_I8BE_g   (*PL_NETCDF_SYMBOL(H5T_STD_I8BE_g))
#define H5T_STD_I8LE_g   (*PL_NETCDF_SYMBOL(H5T_STD_I8LE_g))
#define H5T_STD_U16BE_g  (*PL_NETCDF_SYMBOL(H5T_STD_U16BE_g))
#define H5T_STD_U16LE_g  (*PL_NETCDF_SYMBOL(H5T_STD_U16LE_g))
#define H5T_STD_U32BE_g  (*PL_NETCDF_SYMBOL(H5T_STD_U32BE_g))
#define H5T_STD_U32LE_g  (*PL_NETCDF_SYMBOL(H5T_STD_U32LE_g))
#define H5T_STD_U64BE_g  (*PL_NETCDF_SYMBOL(H5T_STD_U64BE_g))
#define H5T_STD_U64LE_g  (*PL_NETCDF_SYMBOL(H5T_STD_U64LE_g))
#define H5T_STD_U8BE_g   (*PL_NETCDF_SYMBOL(H5T_STD_U8BE_g))
#define H5T_STD_U8LE_g   (*PL_NETCDF_SYMBOL(H5T_STD_U8LE_g))
#endif
#endif
