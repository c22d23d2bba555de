import { SimDisk, simJournal } from "../../src/sim/journal.ts"
import { journalContract } from "../contract/journal.ts"

journalContract("simulated", () => {
  const disk = new SimDisk()
  let full = false
  const world = { disk, dead: () => false, fails: () => full, effect: () => {} }
  return {
    journal: simJournal(world),
    reopen: async () => simJournal(world),
    breakWrites: () => {
      full = true
      return () => (full = false)
    },
  }
})
