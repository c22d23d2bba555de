/** SQLite, whichever the host brings: loaded only when a journal is opened, for a host without one must start, too. */

/** What both libraries have in common. */
export interface Sql {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

export interface Statement {
  run(...values: Value[]): void
  /** The first row; undefined = none. */
  get(...values: Value[]): Row | undefined
  all(...values: Value[]): Row[]
}

type Value = string | number | null
type Row = Readonly<Record<string, string | number | null>>
export type OpenSql = (file: string, options?: { readonly readonly?: boolean }) => Sql

/** Undefined on a host that has none (Node before 22). */
export async function sqliteLibrary(): Promise<OpenSql | undefined> {
  return (await bunSqlite()) ?? (await nodeSqlite())
}

/** Not literals: bundlers, and checks on an older Node, would stop at them. */
const BUN: string = "bun:sqlite"
const NODE: string = "node:sqlite"

/** What we use of `bun:sqlite`. */
interface BunLibrary {
  readonly Database: new (
    file: string,
    options: { readonly: true } | { readwrite: true },
  ) => {
    run(sql: string): void
    prepare(sql: string): {
      run(...values: Value[]): unknown
      get(...values: Value[]): Row | null
      all(...values: Value[]): Row[]
      finalize(): void
    }
    close(): void
  }
}

/** What we use of `node:sqlite`. */
interface NodeLibrary {
  readonly DatabaseSync: new (
    file: string,
    options: { readOnly: boolean },
  ) => {
    exec(sql: string): void
    prepare(sql: string): {
      run(...values: Value[]): unknown
      get(...values: Value[]): Row | undefined
      all(...values: Value[]): Row[]
    }
    close(): void
  }
}

async function bunSqlite(): Promise<OpenSql | undefined> {
  if (typeof Bun === "undefined") return undefined
  const { Database } = (await import(BUN)) as BunLibrary
  return (file, { readonly = false } = {}) => {
    const database = new Database(file, readonly ? { readonly } : { readwrite: true })
    const statements: { finalize(): void }[] = []
    return {
      exec: (sql) => database.run(sql),
      prepare(sql) {
        const statement = database.prepare(sql)
        statements.push(statement)
        return {
          run: (...values) => void statement.run(...values),
          get: (...values) => statement.get(...values) ?? undefined,
          all: (...values) => statement.all(...values),
        }
      },
      close() {
        // A database with open statements is closed only when they are collected.
        for (const statement of statements.splice(0)) statement.finalize()
        database.close()
      },
    }
  }
}

/** The same over `node:sqlite`; undefined where there is none. */
export async function nodeSqlite(): Promise<OpenSql | undefined> {
  const library = await import(NODE).catch(() => undefined)
  if (library === undefined) return undefined
  const { DatabaseSync } = library as NodeLibrary
  return (file, { readonly = false } = {}) => {
    const database = new DatabaseSync(file, { readOnly: readonly })
    return {
      exec: (sql) => database.exec(sql),
      prepare(sql) {
        const statement = database.prepare(sql)
        return {
          run: (...values) => void statement.run(...values),
          get: (...values) => statement.get(...values),
          all: (...values) => statement.all(...values),
        }
      },
      close: () => database.close(),
    }
  }
}
