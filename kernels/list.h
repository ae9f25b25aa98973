// SPDX-License-Identifier: BSD-3-Clause
// One line per kernel, in alphabetical order: KERNEL(x) stands for `const plait_kernel
// plait_kernel_x`.
KERNEL(gaussian)
KERNEL(heat)
KERNEL(kmeans)
KERNEL(montecarlo)
KERNEL(predict)
KERNEL(stats)
KERNEL(template)
KERNEL(train)
KERNEL(tsunami)
