/** A reporter of node:test that tells nothing but the totals, for who adds them up.
 * @param {AsyncIterable<{ type: string, data: any }>} events */
export default async function* counts(events) {
  for await (const { type, data } of events) {
    // Each file has a summary too; the one without a file is of all.
    if (type === "test:summary" && data.file === undefined) yield JSON.stringify(data.counts);
  }
}
