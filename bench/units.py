# SPDX-License-Identifier: BSD-3-Clause
"""What the vector units allow: the least time for given machine code. No bench of its own, learn.py asks it.

Every vector instruction of the hot loops is sorted into a class by its name. How many of each class, of each pair of
classes in turn, and of anything at all a core starts in a cycle is measured here, in the same run, with instructions
that do not wait for each other; a cycle is that of a chain of additions of integers. A rate is rounded up to whole
pipes, so that the limit is the harder one. The least time is the largest of: work of a class / its pipes; work of two
classes / the pipes of either; all that calculates / all pipes; divisions / their rate. A division also takes the place
of so many multiplications as it is measured to. Loads, stores and the number of instructions have limits of their own,
which are told and not counted: a busy neighbour on the same core lowers their rates, which would flatter."""
import itertools, os, re, subprocess

# Class: what names match, what stands for it, with two sources {a} {b}, an own target {t}, an accumulator {c}.
CLASSES = {
    "div": (r"vdiv", "vdivpd {a},{b},{t}"),
    "fma": (r"vf[mn]\w*(add|sub)\d|vmulp", "vfmadd231pd {a},{b},{c}"),
    "add": (r"v(add|sub|max|min|cmp\w*)p[ds]", "vaddpd {a},{b},{t}"),
    "imul": (r"vpmul", "vpmuludq {a},{b},{t}"),
    "shift": (r"vps[rl][la]", "vpsrlq $3,{b},{t}"),
    "shuffle": (r"v(p?shuf|p?unpck|perm|p?blendv|cvt|extract|insert)", "vpermilpd $5,{b},{t}"),
    "logic": (r"vp?(x?or|andn?|ternlog)|vp(add|sub|blendd)|vblendp", "vpxor {a},{b},{t}"),
}
UNITS = [c for c in CLASSES if c != "div"]
OTHERS = {"load": "vmovapd (%rbx),{t}", "store": "vmovapd {a},64(%rbx)", "any": "nop"}
PLAIN = r"vp?mov|vbroadcast|vpbroadcast"  # between registers it is done by renaming


def disassemble(program, symbol):
    """[(address, mnemonic, operands)]"""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--disassemble={symbol}", program],
                          stdout=subprocess.PIPE, check=True, text=True).stdout
    return [(int(a, 16), m, o) for a, m, o in re.findall(r"^ *([0-9a-f]+):\t(\S+) *(.*)$", text, re.M)]


def loops(lines):
    """[(loop, [loops within it])], the outermost ones."""
    jumps = [(int(o.split()[0], 16), a) for a, m, o in lines if m[0] == "j" and re.match("[0-9a-f]+ ", o)]
    back = [(to, at) for to, at in jumps if lines[0][0] <= to < at]
    within = {loop: [b for b in back if b != loop and loop[0] <= b[0] and b[1] <= loop[1]] for loop in back}
    body = lambda loop: [line for line in lines if loop[0] <= line[0] <= loop[1]]
    return [(body(loop), [body(b) for b in inner]) for loop, inner in within.items()
            if not any(loop in others for others in within.values())]


def count(body, register):
    """{class: instructions} of a loop."""
    found = dict.fromkeys([*CLASSES, "load", "store", "any"], 0)
    for _, name, operands in body:
        found["any"] += 1
        if register not in operands and not re.match(PLAIN, name):
            continue
        kind = next((c for c, (names, _) in CLASSES.items() if re.match(names, name)), None)
        if kind:
            found[kind] += 1
        elif not re.match(PLAIN, name):
            raise SystemExit(f"units.py: of which class is {name} {operands}?")
        if "(" in operands:
            found["store" if operands.rstrip().endswith(")") else "load"] += 1
    return found


def independent(mix, registers):
    """Assembly of instructions of these classes, none of which waits for one of the last dozen."""
    lines, targets, sums = [], itertools.cycle(registers[12:14]), itertools.cycle(registers[:12])
    for kind in mix:
        text = CLASSES[kind][1] if kind in CLASSES else OTHERS[kind]
        lines.append(text.format(a=registers[14], b=registers[15], t=next(targets) if "{t}" in text else "",
                                 c=next(sums) if "{c}" in text else ""))
    return "\\n".join(lines).replace("%", "%%") + "\\n"


PROGRAM = r"""
#include <stdio.h>
#include <time.h>
static double now(void) { struct timespec t; clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t); return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec; }
static _Alignas(64) double memory[16] = {1, 1, 1, 1, 1, 1, 1, 1};
#define ONE "vmovapd (%%rbx),%%" REGISTER "14\nvmovapd (%%rbx),%%" REGISTER "15\n"
#define ROUND(i, times, text) { double s = now(); __asm__ volatile(ONE "mov $" #times ",%%rcx\n.p2align 6\n1: " text "dec %%rcx\njnz 1b\n" \
  : : "b"(memory) : "memory", "cc", "rcx", "rax", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", \
  "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"); s = (now() - s) / times; if (s < best[i] || best[i] == 0) best[i] = s; }
int main(void) {
  static double best[COUNT];
  for (int round = 0; round < 9; round++) {
ROUNDS
  }
  for (int i = 0; i < COUNT; i++) printf("%g\n", best[i]);
  return 0;
}
"""


def seconds(mixes, register, place):
    """Seconds of each mix, the best of nine rounds."""
    registers = [f"{register}{i}" for i in range(16)]
    texts = ["add $1,%%rax\\n" * 96] + [independent(mix, registers) for mix in mixes]
    rounds = "\n".join(f'ROUND({i}, 20000, "{text}")' for i, text in enumerate(texts))
    program = os.path.join(place, "units")
    with open(program + ".c", "w") as f:
        f.write(PROGRAM.replace("ROUNDS", rounds).replace("COUNT", str(len(texts))).replace("REGISTER", f'"{register[1:]}"'))
    subprocess.run(["gcc", "-O1", program + ".c", "-o", program], check=True)
    times = [float(t) for t in subprocess.run([program], stdout=subprocess.PIPE, check=True).stdout.split()]
    return times[0] / 96, times[1:]


def spread(work, n):
    """n instructions in the proportions of the work, evenly mixed."""
    total, done, mix = sum(work.values()), dict.fromkeys(work, 0), []
    for i in range(1, n + 1):
        kind = max(work, key=lambda c: work[c] * i / total - done[c])
        done[kind] += 1
        mix.append(kind)
    return mix


def pipes(rate):
    """Whole pipes behind a measured rate, rounded up; 0.2 is what measuring is off by."""
    return max(1, int(rate + 0.8))


def least(work, register, place):
    """What a core needs for {class: instructions}: (cycle in seconds, lines that say how, least cycles, cycles of the
    same mix measured)."""
    pairs = [p for p in itertools.combinations(UNITS, 2) if work[p[0]] and work[p[1]]]
    vector = {c: work[c] for c in [*CLASSES, "load", "store"] if work[c]}
    mixes = [[c] * 96 for c in [*UNITS, "div", "load", "store", "any"]] + [list(p) * 48 for p in pairs]
    mixes += [(["div"] + ["fma"] * 30) * 3, ["fma"] * 90, spread({c: work[c] for c in UNITS if work[c]}, 384), spread(vector, 384)]
    cycle, times = seconds(mixes, register, place)
    rate = [len(m) * cycle / t for m, t in zip(mixes, times)]
    alone = dict(zip([*UNITS, "div", "load", "store", "any"], rate))
    both = dict(zip(pairs, rate[len(alone):]))
    all_pipes = max(pipes(r) for r in [*both.values(), rate[-2], *(alone[c] for c in UNITS)])
    place_of_div = max(0.0, (times[-4] - times[-3]) / 3 / cycle) * pipes(alone["fma"])  # of multiplications
    busy = {**work, "fma": work["fma"] + work["div"] * place_of_div}
    limits = {c: busy[c] / pipes(alone[c]) for c in UNITS}
    limits |= {f"{a} or {b}": (busy[a] + busy[b]) / pipes(both[a, b]) for a, b in pairs}
    limits["div"] = work["div"] / alone["div"]
    limits["all that calculates"] = sum(busy[c] for c in UNITS) / all_pipes
    others = {c: work[c] / alone[c] for c in OTHERS}
    said = [f"a cycle {1e9 * cycle:.3f} ns; started in a cycle: " + ", ".join(f"{c} {r:.2f}" for c, r in alone.items()),
            "pairs: " + ", ".join(f"{a}+{b} {r:.2f}" for (a, b), r in both.items()) + f"; a division takes the place of {place_of_div:.1f} fma",
            "cycles by limit: " + ", ".join(f"{c} {t:.1f}" for c, t in sorted(limits.items(), key=lambda x: -x[1])[:6])
            + "; not counted: " + ", ".join(f"{c} {t:.1f}" for c, t in others.items())]
    return cycle, said, max(limits.values()), sum(vector.values()) / rate[-1]
