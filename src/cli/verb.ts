import type { CommandDef } from "citty"

/** A verb of `lanes`. Each has arguments of its own; what they have in common citty calls CommandDef<any>. */
export type Verb = CommandDef<any>

/** A verb before it is loaded. */
export interface VerbEntry {
  /** As `lanes help` says it; the verb itself says the same. */
  readonly about: string
  readonly load: () => Promise<Verb>
}
