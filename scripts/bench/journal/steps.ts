/** Durable steps, and what the disk alone does in the same time. */

import { closeSync, fsyncSync, ftruncateSync, openSync, statSync, writeSync } from "node:fs"

import type { SqliteJournal } from "../../../src/adapters/sqlite-journal.ts"
import type { Journal } from "../../../src/coordinator/ports.ts"
import { rowOf } from "../../../test/helpers/rows.ts"

/** What one contender did in a while. */
export interface Rate {
  readonly perSecond: number
  /** CPU time of this process for one; ms. */
  readonly cpuMs: number
}

function measure(span: number, one: (n: number) => void): Rate {
  const cpu = process.cpuUsage()
  const begun = performance.now()
  let n = 0
  while (performance.now() < begun + span) one((n += 1))
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: (n / (performance.now() - begun)) * 1_000, cpuMs: (user + system) / 1_000 / n }
}

/** A row and three events each, as a step of a task writes. */
export function steps(journal: Journal, span: number): Rate {
  const row = rowOf()
  return measure(span, (attempt) => {
    journal.write([{ ...row, attempt }], [])
    for (let seq = 0; seq < 3; seq++)
      journal.append({
        type: "task:started",
        id: row.id,
        epoch: 1,
        lane: "default",
        attempt,
        queuedMs: 0,
        at: 0,
        seq,
      })
  })
}

/** Bytes one step adds to the log. */
export function bytesPerStep(journal: SqliteJournal): number {
  const size = (): number => statSync(`${journal.file}-wal`).size
  const before = size()
  const row = rowOf()
  for (let attempt = 1; attempt <= 50; attempt++) journal.write([{ ...row, attempt }], [])
  return Math.round((size() - before) / 50)
}

/** As SQLite goes through its log of 4 MB: so many bytes, then fsync; and nothing else. */
export class BareLog implements Disposable {
  readonly #file: number
  readonly #step: Uint8Array

  constructor(path: string, bytes: number) {
    this.#file = openSync(path, "w")
    this.#step = new Uint8Array(bytes).fill(1)
    ftruncateSync(this.#file, SIZE)
    for (let at = 0; at + bytes <= SIZE; at += bytes) writeSync(this.#file, this.#step, 0, bytes, at)
    fsyncSync(this.#file)
  }

  syncs(span: number): Rate {
    const { length } = this.#step
    const places = Math.floor(SIZE / length)
    return measure(span, (n) => {
      writeSync(this.#file, this.#step, 0, length, (n % places) * length)
      fsyncSync(this.#file)
    })
  }

  [Symbol.dispose](): void {
    closeSync(this.#file)
  }
}

const SIZE = 4 * 2 ** 20
