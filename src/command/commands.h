// SPDX-License-Identifier: BSD-3-Clause
//
// The commands, one file each; main.c lists them in the order of `plait help`.
#ifndef PL_COMMANDS_H
#define PL_COMMANDS_H
#include "command/cli.h"

extern const pl_command pl_command_run, pl_command_check, pl_command_kernels, pl_command_describe,
    pl_command_info, pl_command_view, pl_command_verify, pl_command_version, pl_command_help,
    pl_command_slurm, pl_command_resume_info;

extern const pl_command pl_command_compare, pl_command_doctor, pl_command_plan, pl_command_report;

plait_err pl_unknown_command(const char *name); // PLAIT_USAGE with the nearest name
// The kernel called `name`, or PLAIT_USAGE with the nearest name.
plait_err pl_kernel_named(const char *name, const plait_kernel **kernel);
#endif
