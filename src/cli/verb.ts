import type { CommandDef } from "citty"

/** A verb of `lanes`. Each has arguments of its own; what they have in common citty calls CommandDef<any>. */
export type Verb = CommandDef<any>
