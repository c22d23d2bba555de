/** How our commands end. A command ended by a signal says 128 + the signal's number, as shells do. */
export const EXIT = { ok: 0, failed: 1, usage: 2 } as const
