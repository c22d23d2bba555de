/** Reading of foreign data: what is not of the expected kind is undefined. */

export type Loose = Readonly<Record<string, unknown>>

export function record(value: unknown): Loose | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Loose) : undefined
}

export function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined
}

export function list(value: unknown): readonly unknown[] | undefined {
  return Array.isArray(value) ? value : undefined
}

/** JSON, or undefined. */
export function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
