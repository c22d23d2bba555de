import * as v from "valibot"
import { DEFAULTS } from "../core/options.ts"
import type { Options } from "../core/options.ts"
import { choice, entry, flag, limits, whole, wholeNumber, wholeOrZero } from "./entry.ts"
import type { ConfigEntry } from "./entry.ts"

/** What a person may set: every option, all of them optional, and the switches of the plugin. */
export interface Config extends Partial<Options> {
  readonly agents?: boolean
  readonly ultrawork?: boolean
  readonly page?: boolean | { readonly port: number }
  readonly $schema?: string
}

export type ConfigKeyName = keyof Config

const PAGE = "true, false or { port: integer 0–65535 }"
const port = v.strictObject({ port: wholeNumber("an integer 0–65535", 0, 65_535) }, "an object with the key port")

const $ = DEFAULTS

/** The table. Its type makes the compiler compare it with `Options`, key by key. */
export const ENTRIES: { readonly [K in ConfigKeyName]-?: ConfigEntry<NonNullable<Config[K]>> } = {
  defaultConcurrency: whole(
    {
      default: $.defaultConcurrency,
      readersOnly: true,
      meaning: "Slots of the lane `default`, shared by all models without a limit of their own.",
    },
    1,
  ),
  providerConcurrency: limits("provider", {
    default: $.providerConcurrency,
    readersOnly: true,
    meaning: "Slots per provider, shared by its models without a limit of their own; 0 = unlimited.",
  }),
  modelConcurrency: limits("model", {
    default: $.modelConcurrency,
    readersOnly: true,
    meaning:
      "Slots per model; the key is `claude-opus-4-5` or `anthropic/claude-opus-4-5`, the longer wins; 0 = unlimited.",
  }),
  pollIntervalMs: whole({ default: $.pollIntervalMs, meaning: "Milliseconds between two polls of one run." }, 100),
  stablePolls: whole(
    { default: $.stablePolls, meaning: "Consecutive polls without change before a run is complete by stability." },
    1,
  ),
  minStabilityMs: whole(
    { default: $.minStabilityMs, meaning: "Milliseconds of run time before which no run is complete by stability." },
    0,
  ),
  minIdleMs: whole(
    { default: $.minIdleMs, meaning: "Milliseconds of run time before which a bare idle is looked at again later." },
    0,
  ),
  staleTimeoutMs: whole(
    {
      default: $.staleTimeoutMs,
      readersOnly: true,
      meaning:
        "Milliseconds without progress after which a run ends as `STALE`. Unset, it stays within `toolStaleTimeoutMs`.",
    },
    1_000,
  ),
  toolStaleTimeoutMs: whole(
    {
      default: $.toolStaleTimeoutMs,
      readersOnly: true,
      meaning:
        "The same while a tool runs, in milliseconds; at least `staleTimeoutMs`. Unset, it stays within 5/6 of `taskTtlMs`.",
    },
    1_000,
  ),
  taskTtlMs: whole(
    {
      default: $.taskTtlMs,
      readersOnly: true,
      meaning:
        "Milliseconds of run time after which a run is aborted as `TTL`. Unset, it grows with the two bounds above.",
    },
    1_000,
  ),
  queueTtlMs: wholeOrZero(
    { default: $.queueTtlMs, meaning: "Milliseconds a task may wait in its queue; 0 = as long as it takes." },
    1_000,
  ),
  serverLostMs: whole(
    { default: $.serverLostMs, meaning: "Milliseconds without the server after which a run ends as `SERVER_LOST`." },
    1_000,
  ),
  maxSteps: whole(
    {
      default: $.maxSteps,
      readersOnly: true,
      meaning: "Model steps of one run, after which it ends as `STEP_LIMIT`.",
    },
    1,
  ),
  maxPerRoot: whole(
    {
      default: $.maxPerRoot,
      readersOnly: true,
      meaning: "Unsettled tasks of one parent conversation.",
    },
    1,
  ),
  maxQueued: whole(
    {
      default: $.maxQueued,
      readersOnly: true,
      meaning: "Waiting tasks over all lanes; beyond it a launch is refused with `QUEUE_FULL`.",
    },
    1,
  ),
  todoNudges: whole(
    {
      default: $.todoNudges,
      readersOnly: true,
      meaning: "How often an idle session with open TODOs is asked to go on.",
    },
    0,
  ),
  retainMs: whole(
    { default: $.retainMs, readersOnly: true, meaning: "Milliseconds a settled task stays readable." },
    60_000,
  ),
  maxResultChars: whole(
    { default: $.maxResultChars, meaning: "Characters of a result; a longer one is cut in the middle." },
    1_000,
  ),
  maxWorkers: whole(
    {
      shown: "cores, 2–8",
      readersOnly: true,
      meaning: "Worker threads at most. Unset: one per core, at least 2, at most 8.",
    },
    1,
    64,
  ),
  isolation: choice(["pool", "task"], {
    default: $.isolation,
    meaning: "`task` gives each run a worker thread of its own.",
  }),
  wake: choice(["all", "each"], {
    default: $.wake,
    meaning: "When finished tasks start a turn of their parent: after the last of a batch, or after each.",
  }),
  permissions: choice(["reject", "forward"], {
    default: $.permissions,
    meaning: "A permission ask in a task's session is rejected at once, or left to the human.",
  }),
  recover: choice(["resume", "ask"], {
    shown: '"resume", in the plugin "ask"',
    readersOnly: true,
    meaning: "Runs interrupted by a restart are prompted to go on, or end as `INTERRUPTED`.",
  }),
  agents: flag({ default: true, meaning: "The plugin adds its agents where the project defines none of their names." }),
  ultrawork: flag({ default: true, meaning: "The word `ultrawork` or `ulw` asks a turn to delegate in parallel." }),
  page: entry<boolean | { readonly port: number }>(v.union([v.boolean(), port], PAGE), PAGE, {
    default: false,
    readersOnly: true,
    meaning: "Starts the live page with the plugin; port 0 = any free one.",
  }),
  $schema: entry(v.string("a string"), "a string", { meaning: "Address of the JSON Schema, for editors." }),
}

/** The keys in the order of the table. */
export const KEY_NAMES: readonly ConfigKeyName[] = Object.keys(ENTRIES) as ConfigKeyName[]

export function isKey(name: string): name is ConfigKeyName {
  return Object.hasOwn(ENTRIES, name)
}

/** The one schema of everything that can be set: strict, every key optional. */
export const configSchema: v.GenericSchema<Config> = v.strictObject(
  Object.fromEntries(KEY_NAMES.map((name) => [name, v.exactOptional(ENTRIES[name].schema)])),
  "an object",
) as v.GenericSchema<Config>
