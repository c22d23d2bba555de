import * as v from "valibot"
import { DEFAULTS } from "../core/options.ts"
import type { Options } from "../core/options.ts"

/** What a person may set: every option, all of them optional, and the switches of the plugin. */
export interface Config extends Partial<Options> {
  readonly agents?: boolean
  readonly ultrawork?: boolean
  readonly page?: boolean | { readonly port: number }
  readonly $schema?: string
}

export type ConfigKeyName = keyof Config

/** One key: its schema, and what people read about it. */
export interface ConfigEntry<T = unknown> {
  readonly schema: v.GenericSchema<T>
  /** What is expected, as it stands in messages and in the README: `an integer ≥ 1`. */
  readonly expected: string
  readonly meaning: string
  /** The default as people read it; `undefined` = there is none. */
  readonly shown: string | undefined
  /** Range of a number, or of the numbers of a map. */
  readonly range?: readonly [min: number, max: number]
  /** The form of a map's keys. */
  readonly keyed?: "provider" | "model"
  /** Only the reader's own configuration decides this: what agents cost, and what the machine opens. */
  readonly readersOnly: boolean
}

interface About {
  readonly default?: unknown
  readonly shown?: string
  readonly meaning: string
  readonly readersOnly?: boolean
}

const MAX = Number.MAX_SAFE_INTEGER

/** The description and default end up in `schema.json`: the converter copies metadata it does not know. */
function told<S extends v.GenericSchema>(schema: S, about: About): S {
  const facts = about.default === undefined ? {} : { default: about.default }
  return v.pipe(schema, v.description(about.meaning), v.metadata(facts)) as unknown as S
}

function entry<T>(schema: v.GenericSchema<T>, expected: string, about: About): ConfigEntry<T> {
  return {
    schema: told(schema, about),
    expected,
    meaning: about.meaning,
    shown: about.shown ?? (about.default === undefined ? undefined : JSON.stringify(about.default)),
    readersOnly: about.readersOnly ?? false,
  }
}

function wholeNumber(expected: string, min: number, max: number = MAX): v.GenericSchema<number> {
  const [low, high] = [v.minValue<number, number, string>(min, expected), v.maxValue<number, number, string>(max, expected)]
  const base = v.pipe(v.number(expected), v.safeInteger(expected), low)
  return max === MAX ? base : v.pipe(base, high)
}

/** A whole number; milliseconds and counts alike. */
function whole(about: About, min: number, max: number = MAX): ConfigEntry<number> {
  const expected = max === MAX ? `an integer ≥ ${min}` : `an integer ${min}–${max}`
  return { ...entry(wholeNumber(expected, min, max), expected, about), range: [min, max] }
}

/** A bound that may be switched off with 0. */
function wholeOrZero(about: About, min: number): ConfigEntry<number> {
  const expected = `0 or an integer ≥ ${min}`
  const schema = v.union([v.literal(0), wholeNumber(expected, min)], expected)
  return { ...entry(schema, expected, about), range: [min, MAX] }
}

/** No spaces or slashes at the ends; a provider's id has no slash at all. */
const IDS = {
  provider: { form: /^[^\s/]([^/]*[^\s/])?$/, expected: 'a provider id without "/"' },
  model: { form: /^[^\s/](.*[^\s/])?$/, expected: "a model id or provider/model" },
} as const

/** A lane's name is printed on terminals; also, JSON Schema's patterns know no such class. */
const printable = (id: string): boolean => !/\p{Cc}/u.test(id)

function limits(keyed: "provider" | "model", about: About): ConfigEntry<Readonly<Record<string, number>>> {
  const { form, expected } = IDS[keyed]
  const id = v.pipe(v.string(expected), v.maxLength(200, `${expected}, at most 200 characters`), v.regex(form, expected), v.check(printable, expected))
  const shape = `an object, ${keyed} → integer ≥ 0`
  const schema = v.record(id, wholeNumber("an integer ≥ 0", 0), shape)
  return { ...entry(schema, shape, about), range: [0, MAX], keyed }
}

function choice<const T extends readonly [string, string]>(values: T, about: About): ConfigEntry<T[number]> {
  const expected = values.map((value) => JSON.stringify(value)).join(" or ")
  return entry(v.picklist(values, expected), expected, about)
}

function flag(about: About): ConfigEntry<boolean> {
  return entry(v.boolean("true or false"), "true or false", about)
}

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
      meaning:
        "Milliseconds without progress after which a run ends as `STALE`. Unset, it stays within `toolStaleTimeoutMs`.",
    },
    1_000,
  ),
  toolStaleTimeoutMs: whole(
    {
      default: $.toolStaleTimeoutMs,
      meaning:
        "The same while a tool runs, in milliseconds; at least `staleTimeoutMs`. Unset, it stays within 5/6 of `taskTtlMs`.",
    },
    1_000,
  ),
  taskTtlMs: whole(
    {
      default: $.taskTtlMs,
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
  retainMs: whole({ default: $.retainMs, meaning: "Milliseconds a settled task stays readable." }, 60_000),
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
