// SPDX-License-Identifier: BSD-3-Clause
//
// Files as the durability rules need them: whole reads and writes, sync, rename, directory sync.
#ifndef PL_PATH_H
#define PL_PATH_H
#include "plait.h"
#include <sys/types.h>

// All of it or an error: loops over short counts and EINTR. `path` is for the message only.
plait_err pl_pread_all(int fd, void *data, size_t bytes, off_t offset, const char *path);
plait_err pl_pwrite_all(int fd, const void *data, size_t bytes, off_t offset, const char *path);
// How often data have moved: every call of the system that read or wrote some of them counts. What
// a watchdog looks at. Threads: any.
void pl_moves_note(void);
int64_t pl_moves(void);
plait_err pl_file_sync(int fd, const char *path);
plait_err pl_dir_sync(const char *path_of_file);            // the directory that holds it
plait_err pl_file_rename(const char *from, const char *to); // then the directory is synced
plait_err pl_path_join(const char *dir, const char *name, char **out); // absolute name: name alone
plait_err pl_path_dir(const char *path, char **out);                   // "." when it has none
// Through a temporary file, sync and rename; a pipe or device is written in place.
plait_err pl_write_file(const char *path, const char *text, size_t bytes);
// The same where a lock keeps others from the file: the temporary one is PATH.partial, so that what
// a killed process left of it is replaced and does not stay.
plait_err pl_write_file_alone(const char *path, const char *text, size_t bytes);
bool pl_same_file(const char *a, const char *b); // same device and inode, both exist
#endif
