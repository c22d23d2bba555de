/** The names most like a wrong one, best first: for "did you mean". */
export function nearNames(wrong: string, names: readonly string[], most = 3): string[] {
  const sought = wrong.toLowerCase()
  return names
    .map((name) => ({ name, far: distance(sought, name.toLowerCase()) }))
    .filter(({ far }) => far <= Math.max(2, Math.ceil(sought.length / 3)))
    .toSorted((a, b) => a.far - b.far || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name)
}

/** Names of one part: a model without its provider, `flash` of `gemini-flash`. Then how many letters differ. */
function distance(sought: string, name: string): number {
  if (name === sought) return 0
  if (name.endsWith(`/${sought}`)) return 0.1
  if (sought.length >= 3 && name.includes(sought)) return 0.5
  return edits(sought, name)
}

function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a.charCodeAt(i - 1) === b.charCodeAt(j - 1)
      next.push(same ? at(row, j - 1) : 1 + Math.min(at(row, j - 1), at(row, j), at(next, j - 1)))
    }
    row = next
  }
  return at(row, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY
}
