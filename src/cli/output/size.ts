/** The size lines must fit into. */
export interface Size {
  readonly columns: number
  readonly rows: number
}

/** How large a terminal is. One that nobody has told says 0, a pipe says nothing. */
export function sizeOf({ columns, rows }: { readonly columns?: number; readonly rows?: number }): Size {
  return { columns: columns || 80, rows: rows || 24 }
}
