import { expect, test } from "bun:test"

import { lanesOn } from "../helpers/lanes.ts"
import { useOpenCode } from "../helpers/opencode.ts"

const oc = useOpenCode()

test("page: true serves the live page of the handle, until it is closed", async () => {
  const said: string[] = []
  const t = await lanesOn(oc, { page: true, log: (message) => said.push(message) })
  const { url, link } = t.lanes.page ?? { url: "", link: () => "" }
  try {
    expect(said.some((line) => line.includes(url))).toBe(true)
    expect(link()).toStartWith(url)
    const response = await fetch(url)
    expect(response.status).toBe(200)
    expect(await response.text()).toContain("<!doctype html>")
  } finally {
    await t.lanes.close()
  }
  expect(fetch(url)).rejects.toThrow()
})

test("without it there is none, and a port that is taken is said in a sentence", async () => {
  await using t = await lanesOn(oc)
  expect(t.lanes.page).toBeUndefined()
  await using first = await lanesOn(oc, { page: true })
  const port = Number(new URL(first.lanes.page?.url ?? "").port)
  expect(lanesOn(oc, { page: { port } })).rejects.toThrow(`The page cannot listen on port ${port}`)
})
