/** A process of its own that listens to a page's stream as so many clients; says how many frames each got. */

const [url = "", clients = "1", frames = "0"] = process.argv.slice(2)

async function listen(): Promise<number> {
  const answer = await fetch(url)
  let count = 0
  let rest = ""
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const parts = (rest + chunk).split("\n\n")
    rest = parts.pop() ?? ""
    count += parts.filter((part) => part.includes("\ndata: ")).length
    if (count >= Number(frames)) break
  }
  return count
}

const counts = await Promise.all(Array.from({ length: Number(clients) }, listen))
process.stdout.write(JSON.stringify(counts), () => process.exit(0))
