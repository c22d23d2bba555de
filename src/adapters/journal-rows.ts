import type { SealedRow } from "../core/sealed.ts"
import { isSealable } from "../core/sealed.ts"
import type { TaskRow } from "../core/task.ts"
import type { Hide } from "./secrets.ts"
import type { Sql, Statement } from "./sqlite-library.ts"

/** Rows of a file, in order, and what could not be read of them. */
export interface StoredRows {
  readonly rows: readonly TaskRow[]
  /** Completed ones, unread. */
  readonly sealed: readonly SealedRow[]
  /** Rows whose text is no row. */
  readonly torn: number
  /** A part of the file itself could not be read. */
  readonly damaged: boolean
}

type Read = ReturnType<Statement["all"]>[number]

const COLUMNS = "id, place, settled, session, parent, row"
const PAGE = 5_000

/** Stores a row, new or changed. */
export function rowWriter(sql: Sql, hide: Hide = (text) => text): (row: TaskRow) => void {
  const put = sql.prepare(
    `INSERT INTO tasks (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET place = excluded.place,
     settled = excluded.settled, session = excluded.session, parent = excluded.parent, row = excluded.row`,
  )
  return (row) => {
    const { id, order, settledAt = null, sessionID = null, spec } = row
    const brief = isSealable(row) ? [settledAt, sessionID, spec.parent?.sessionID ?? null] : [null, null, null]
    put.run(id, order, ...brief, hide(JSON.stringify(row)))
  }
}

/** Copies a sealed row from another file. */
export function sealedWriter(sql: Sql): (row: SealedRow) => void {
  const put = sql.prepare(`INSERT OR IGNORE INTO tasks (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)`)
  return ({ id, order, settledAt, sessionID = null, parent = null, text }) =>
    put.run(id, order, settledAt, sessionID, parent, text)
}

/** Reads what there is, and of what is sealed no more than must be known; that goes on in `server`. */
export function readRows(sql: Sql, server: string): StoredRows {
  try {
    return { ...sorted([...pages(sql, COLUMNS)].flat(), server), damaged: false }
  } catch {
    return { ...sorted(salvage(sql), server), damaged: true }
  }
}

/** All rows of a file of any version, each of them read. */
export function readAll(sql: Sql): TaskRow[] {
  const texts = (found: readonly Read[]): TaskRow[] => found.flatMap(({ row }) => parsedRow(String(row)) ?? [])
  try {
    return [...pages(sql, "place, id, row")].flatMap(texts)
  } catch {
    return texts(salvage(sql))
  }
}

/** In order. A long read would keep the log of an owner at work from being cut. */
function* pages(sql: Sql, columns: string): Generator<Read[]> {
  const forth = sql.prepare(`SELECT ${columns} FROM tasks WHERE (place, id) > (?, ?) ORDER BY place, id LIMIT ${PAGE}`)
  for (let place = Number.MIN_SAFE_INTEGER, id = ""; ;) {
    const page = forth.all(place, id)
    yield page
    const last = page.at(-1)
    if (last === undefined || page.length < PAGE) return
    place = Number(last["place"])
    id = String(last["id"])
  }
}

/** Row by row from both ends, up to what is broken. Nothing is believed unread here. */
function salvage(sql: Sql): Read[] {
  const found = new Map<number, Read>()
  for (const query of [
    "SELECT rowid AS n, row FROM tasks WHERE rowid > ? ORDER BY rowid LIMIT 1",
    "SELECT rowid AS n, row FROM tasks WHERE rowid < ? ORDER BY rowid DESC LIMIT 1",
  ]) {
    try {
      const next = sql.prepare(query)
      let n = query.includes("DESC") ? Number.MAX_SAFE_INTEGER : -1
      for (let row = next.get(n); row !== undefined && !found.has(Number(row["n"])); row = next.get(n)) {
        n = Number(row["n"])
        found.set(n, row)
      }
    } catch {
      // As far as it can be read from this end.
    }
  }
  return [...found].sort(([a], [b]) => a - b).map(([, row]) => row)
}

function sorted(found: readonly Read[], server: string): Omit<StoredRows, "damaged"> {
  const rows: TaskRow[] = []
  const sealed: SealedRow[] = []
  for (const read of found) {
    const text = String(read["row"])
    const { settled, session, parent } = read
    if (typeof settled !== "number") {
      const row = parsedRow(text)
      if (row !== undefined) rows.push(row)
    } else if (isWhole(text)) {
      sealed.push({
        id: String(read["id"]),
        order: Number(read["place"]),
        server,
        settledAt: settled,
        ...(typeof session === "string" ? { sessionID: session } : {}),
        ...(typeof parent === "string" ? { parent } : {}),
        text,
      })
    }
  }
  return { rows, sealed, torn: found.length - rows.length - sealed.length }
}

/** Its end is there; what is between is looked at when it is read. */
function isWhole(text: string): boolean {
  return text.startsWith("{") && text.endsWith("}")
}

/** Undefined for what is no row. */
export function parsedRow(text: string): TaskRow | undefined {
  try {
    const row: unknown = JSON.parse(text)
    return isRow(row) ? row : undefined
  } catch {
    return undefined
  }
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
