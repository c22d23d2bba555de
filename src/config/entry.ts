import * as v from "valibot"

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

export interface About {
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

export function entry<T>(schema: v.GenericSchema<T>, expected: string, about: About): ConfigEntry<T> {
  return {
    schema: told(schema, about),
    expected,
    meaning: about.meaning,
    shown: about.shown ?? (about.default === undefined ? undefined : JSON.stringify(about.default)),
    readersOnly: about.readersOnly ?? false,
  }
}

export function wholeNumber(expected: string, min: number, max: number = MAX): v.GenericSchema<number> {
  const [low, high] = [
    v.minValue<number, number, string>(min, expected),
    v.maxValue<number, number, string>(max, expected),
  ]
  const base = v.pipe(v.number(expected), v.safeInteger(expected), low)
  return max === MAX ? base : v.pipe(base, high)
}

/** A whole number; milliseconds and counts alike. */
export function whole(about: About, min: number, max: number = MAX): ConfigEntry<number> {
  const expected = max === MAX ? `an integer ≥ ${min}` : `an integer ${min}–${max}`
  return { ...entry(wholeNumber(expected, min, max), expected, about), range: [min, max] }
}

/** A bound that may be switched off with 0. */
export function wholeOrZero(about: About, min: number): ConfigEntry<number> {
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

export function limits(keyed: "provider" | "model", about: About): ConfigEntry<Readonly<Record<string, number>>> {
  const { form, expected } = IDS[keyed]
  const id = v.pipe(
    v.string(expected),
    v.maxLength(200, `${expected}, at most 200 characters`),
    v.regex(form, expected),
    v.check(printable, expected),
  )
  const shape = `an object, ${keyed} → integer ≥ 0`
  const schema = v.record(id, wholeNumber("an integer ≥ 0", 0), shape)
  return { ...entry(schema, shape, about), range: [0, MAX], keyed }
}

export function choice<const T extends readonly [string, string]>(values: T, about: About): ConfigEntry<T[number]> {
  const expected = values.map((value) => JSON.stringify(value)).join(" or ")
  return entry(v.picklist(values, expected), expected, about)
}

export function flag(about: About): ConfigEntry<boolean> {
  return entry(v.boolean("true or false"), "true or false", about)
}
