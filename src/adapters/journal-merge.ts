import type { StoredRows } from "./journal-rows.ts"
import { rowWriter, sealedWriter } from "./journal-rows.ts"
import type { Sql } from "./sqlite-library.ts"
import { transaction } from "./sqlite-schema.ts"

export type Merged = Pick<StoredRows, "rows" | "sealed">

/** Rows of the base, then those of the others, copied behind them: the order of all queues. */
export function merge(into: Sql, base: Merged, others: readonly Merged[]): Merged {
  if (others.length === 0) return base
  const [rows, sealed] = [[...base.rows], [...base.sealed]]
  const known = new Set([...rows, ...sealed].map(({ id }) => id))
  let last = 0
  for (const { order } of [...rows, ...sealed]) last = Math.max(last, order)
  const [put, putSealed] = [rowWriter(into), sealedWriter(into)]
  transaction(into, () => {
    for (const other of others) {
      // Copied before, by one that died before it could remove the file.
      const isNew = ({ id }: { readonly id: string }): boolean => known.size < known.add(id).size
      for (const row of other.sealed.filter(isNew)) sealed.push(row)
      for (const row of other.rows.filter(isNew)) rows.push(row)
    }
    copy(rows, base.rows.length, put)
    copy(sealed, base.sealed.length, putSealed)
  })
  return { rows, sealed }

  /** Those behind `from` are of others: they get their place here. */
  function copy<T extends { readonly order: number }>(of: T[], from: number, write: (row: T) => void): void {
    for (let i = from; i < of.length; i++) {
      const moved = { ...(of[i] as T), order: ++last }
      of[i] = moved
      write(moved)
    }
  }
}
