# SPDX-License-Identifier: BSD-3-Clause
"""gaussian, sigma 5, on 64 images of 2048 x 2048, beside libvips' gaussblur (precision float)."""
import os, subprocess
import side

side.need("numpy")
import numpy as np

N, Y, X, SIGMA = 64, 2048, 2048, 5
os.makedirs(side.PLACE, exist_ok=True)
PEER = os.path.join(side.PLACE, "vips_blur")


def build_peer():
    """A small C program: libvips from memory to memory for each image, both cores, start-up included."""
    source = os.path.join(side.ROOT, "bench", "vips_blur.c")
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "vips"], stdout=subprocess.PIPE)
    if flags.returncode != 0:
        print("libvips is not installed: plait alone")
        return None
    subprocess.run(["cc", "-O2", source, "-o", PEER, *flags.stdout.decode().split()], check=True)
    return PEER


def bench(kind, peer):
    path = os.path.join(side.PLACE, f"images_{kind}.npy")
    # in memory: the peer does not sync its result to the disk, plait does
    out = os.path.join(side.MEMORY, f"plait_bench_{os.getpid()}.npy")
    if not os.path.exists(path):
        top = np.iinfo(kind).max
        np.save(path, np.random.default_rng(2).integers(0, top, (N, Y, X)).astype(kind))
    words = [os.path.join(side.ROOT, "jobs", "relief-smooth.yaml"), f"input={path}", f"output={out}",
             f"params.sigma={SIGMA}", "params.truncate=3.6",  # 18 px, the mask of libvips
             "params.axes=[1,2]", "params.boundary=nearest", "params.type=same"]
    times = side.in_turn({
        "plait 1 x 2": side.plait(*words), "plait, mpirun -np 1": side.plait(*words, ranks=1),
        "plait, mpirun -np 2": side.plait(*words, ranks=2, threads=1),
        "libvips gaussblur": [peer, path, out + ".vips", kind, str(N), str(Y), str(X), str(SIGMA)] if peer else None},
        repeat=3)
    m = side.show(f"gaussian sigma {SIGMA}, {N} x {Y} x {X} {kind}", times, rate=N * Y * X / 1e6, unit="Mpixel")
    side.verdict("2 ranks x 1 / 1 rank x 2, both under mpirun", m["plait, mpirun -np 2"] / m["plait, mpirun -np 1"],
                 1.1, "<=")
    if not peer:
        return
    side.verdict("pixels/s, plait / libvips", m["libvips gaussblur"] / m["plait 1 x 2"], 2.0, ">=")
    ours, theirs = np.load(out, mmap_mode="r"), np.memmap(out + ".vips", dtype=kind, shape=(N, Y, X), mode="r")
    far = max(int(np.abs(ours[i].astype(int) - theirs[i].astype(int)).max()) for i in (0, N // 2, N - 1))
    side.verdict("largest difference, in steps of the type", far, 1 if kind == "uint8" else 3, "<=")
    del ours, theirs
    for name in (out, out + ".vips"):
        os.remove(name)


def main():
    peer = build_peer()
    for kind in ("uint8", "uint16"):
        bench(kind, peer)


main()
