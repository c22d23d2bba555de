import { describe, expect, test } from "bun:test"
import * as fc from "fast-check"
import { configKeys, parseBackgroundTask, parseConfig, resolveOptions } from "../../src/config.ts"
import { LanesError } from "../../src/core/errors.ts"
import { refusal } from "./refusal.ts"

describe("hostile input", () => {
  for (const name of ["__proto__", "constructor", "prototype"]) {
    test(`${name} is refused wherever it stands`, () => {
      for (const text of [
        `{"${name}":{"polluted":1}}`,
        `{"providerConcurrency":{"${name}":1}}`,
        `{"page":{"${name}":1}}`,
      ]) {
        expect(refusal(() => parseConfig(JSON.parse(text))).message).toContain(name)
        expect(JSON.stringify(parseBackgroundTask(JSON.parse(text)).config)).not.toContain(name)
      }
      expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined()
    })
  }

  test("depth, size and circles are bounded", () => {
    const circle: Record<string, unknown> = {}
    circle["page"] = circle
    const huge = { providerConcurrency: Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`p${i}`, 1])) }
    expect(refusal(() => parseConfig(circle)).message).toContain("expected at most 8 levels")
    expect(refusal(() => parseConfig(huge)).message).toContain("expected at most 10000 keys")
    expect(parseBackgroundTask(circle).config).toEqual({})
    expect(Object.keys(parseBackgroundTask(huge).config.providerConcurrency ?? {}).length).toBeLessThan(10_001)
  })

  test("what cannot be read is refused, not thrown through", () => {
    const trap = {
      get: () => {
        throw new TypeError("no")
      },
      ownKeys: () => {
        throw new TypeError("no")
      },
    }
    const revoked = Proxy.revocable({}, {})
    revoked.revoke()
    const getter = {
      get wake(): string {
        throw new RangeError("no")
      },
    }
    for (const value of [new Proxy({}, trap), revoked.proxy, getter, { page: revoked.proxy }]) {
      expect(refusal(() => parseConfig(value)).message).toContain("a value that can be read")
      expect(parseBackgroundTask(value)).toMatchObject({ config: {}, warnings: [expect.any(String)] })
    }
  })

  const names = fc.oneof(fc.constantFrom(...configKeys.map(({ key }) => key), "__proto__", "constructor"), fc.string())
  const nested = fc.oneof(
    fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true, key: names }),
    fc.dictionary(
      names,
      fc.oneof(fc.integer(), fc.double(), fc.anything({ key: names }), fc.dictionary(names, fc.integer())),
      { maxKeys: 8 },
    ),
  )
  const clean = JSON.stringify(Object.getOwnPropertyNames(Object.prototype))

  test("no input makes it throw anything but a LanesError, and none pollutes", () => {
    fc.assert(
      fc.property(nested, (value) => {
        try {
          const config = parseConfig(value)
          resolveOptions(config)
          expect(parseConfig(config)).toEqual(config)
        } catch (thrown) {
          if (!(thrown instanceof LanesError)) throw thrown
        }
        expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(clean)
      }),
      { numRuns: 2_000, seed: 7 },
    )
  })

  test("the lenient form never throws, and what it lets through is strictly valid", () => {
    fc.assert(
      fc.property(nested, (value) => {
        const { config } = parseBackgroundTask(value)
        expect(parseConfig(config)).toEqual(config)
        expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(clean)
      }),
      { numRuns: 2_000, seed: 11 },
    )
  })
})
