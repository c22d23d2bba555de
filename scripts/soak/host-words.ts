import type { Config, TaskRow } from "../../src/index.ts"

/** What the host program is started with. */
export interface HostOptions {
  readonly url: string
  readonly password: string
  readonly directory: string
  /** Of the journal; without, it keeps nothing. */
  readonly folder?: string
  readonly config?: Config
}

/** What it can be told. */
export type HostOrder =
  | {
      readonly type: "launch"
      readonly script: string
      readonly prompt: string
      readonly parent?: string
      /** Not the host's own. */
      readonly directory?: string
    }
  | { readonly type: "continue"; readonly id: string; readonly script: string; readonly prompt: string }
  | { readonly type: "cancel"; readonly id: string }
  | { readonly type: "rows" }
  | { readonly type: "sizes" }
  | { readonly type: "close" }

/** What it says. */
export type HostFact =
  /** It has taken over what was left, so many ms after it was started. */
  | { readonly type: "ready"; readonly ms: number; readonly tasks: number }
  | { readonly type: "launched"; readonly script: string; readonly id: string }
  | { readonly type: "continued"; readonly id: string; readonly script: string; readonly epoch: number }
  | { readonly type: "cancelled"; readonly id: string }
  | {
      readonly type: "settled"
      readonly id: string
      readonly epoch: number
      readonly state: string
      readonly reason: string
    }
  | { readonly type: "rows"; readonly rows: readonly TaskRow[] }
  | {
      readonly type: "sizes"
      readonly rss: number
      readonly heapUsed: number
      readonly sizes: Readonly<Record<string, number>>
    }
  | { readonly type: "closed" }
  | { readonly type: "refused"; readonly order: HostOrder; readonly message: string }
