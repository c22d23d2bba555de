import type { Journal } from "../coordinator/ports.ts"

/** Keeps nothing: `journal: false`. */
export const noJournal: Journal = {
  write: () => {},
  append: () => {},
  load: () => [],
  close: () => {},
}
