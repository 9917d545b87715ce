// Numbers that are the same in every run, and bytes changed by them.

export function seeded(seed) {
  let state = seed;
  return (n) => (state = (state * 48_271) % 2_147_483_647) % n;
}

/** A copy with one to three changes: bits, bytes, pieces taken out, put in or repeated. */
export function mutate(bytes, next) {
  let out = [...bytes];
  for (let changes = 1 + next(3); changes > 0; changes--) {
    const at = next(out.length + 1);
    switch (next(6)) {
      case 0: if (at < out.length) out[at] ^= 1 << next(8); break;
      case 1: if (at < out.length) out[at] = next(256); break;
      case 2: out.splice(at, 1 + next(4)); break;
      case 3: out.splice(at, 0, next(256)); break;
      case 4: out.splice(at, 0, ...out.slice(next(out.length + 1)).slice(0, 1 + next(70))); break;
      default: if (next(8) === 0) out = out.slice(0, at);
    }
  }
  return Uint8Array.from(out);
}
