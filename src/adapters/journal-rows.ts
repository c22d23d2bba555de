import type { TaskRow } from "../core/task.ts"
import type { Sql } from "./sqlite-library.ts"

/** Rows of a file, in order, and what could not be read of them. */
export interface StoredRows {
  readonly rows: readonly TaskRow[]
  /** Rows whose text is no row. */
  readonly torn: number
  /** A part of the file itself could not be read. */
  readonly damaged: boolean
}

const PAGE = 5_000

/** Reads what there is, in pages: a long read keeps the log of an owner at work from being cut. */
export function readRows(sql: Sql): StoredRows {
  const forth = sql.prepare("SELECT place, id, row FROM tasks WHERE (place, id) > (?, ?) ORDER BY place, id LIMIT ?")
  const texts: string[] = []
  try {
    for (let place = Number.MIN_SAFE_INTEGER, id = ""; ;) {
      const page = forth.all(place, id, PAGE)
      for (const { row } of page) texts.push(String(row))
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return { ...parse(texts), damaged: false }
      place = Number(last["place"])
      id = String(last["id"])
    }
  } catch {
    return { ...parse(salvage(sql)), damaged: true }
  }
}

/** Row by row from both ends, up to what is broken. */
function salvage(sql: Sql): string[] {
  const found = new Map<number, string>()
  for (const query of [
    "SELECT rowid AS n, row FROM tasks WHERE rowid > ? ORDER BY rowid LIMIT 1",
    "SELECT rowid AS n, row FROM tasks WHERE rowid < ? ORDER BY rowid DESC LIMIT 1",
  ]) {
    try {
      const next = sql.prepare(query)
      let n = query.includes("DESC") ? Number.MAX_SAFE_INTEGER : -1
      for (let row = next.get(n); row !== undefined && !found.has(Number(row["n"])); row = next.get(n)) {
        n = Number(row["n"])
        found.set(n, String(row["row"]))
      }
    } catch {
      // As far as it can be read from this end.
    }
  }
  return [...found].sort(([a], [b]) => a - b).map(([, text]) => text)
}

function parse(texts: readonly string[]): { rows: TaskRow[]; torn: number } {
  const rows: TaskRow[] = []
  for (const text of texts) {
    try {
      const row: unknown = JSON.parse(text)
      if (isRow(row)) rows.push(row)
    } catch {
      // Counted by its absence.
    }
  }
  return { rows, torn: texts.length - rows.length }
}

function isRow(value: unknown): value is TaskRow {
  if (typeof value !== "object" || value === null) return false
  const { id, state, order, spec, prompts, notice } = value as Partial<TaskRow>
  return (
    typeof id === "string" &&
    typeof state === "string" &&
    typeof order === "number" &&
    typeof spec === "object" &&
    spec !== null &&
    Array.isArray(prompts) &&
    typeof notice === "object"
  )
}
