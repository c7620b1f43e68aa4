export type MarkedPiece = { text: Buffer } | { id: string };

const LINE_END = 10;
/** Of a number, with the end of its line. */
const MOST_ID_BYTES = 20;

/** The pieces of a text between lines that are `mark` and a number, and these numbers, in their order. */
export async function* splitAtMarks(chunks: AsyncIterable<Buffer>, mark: string): AsyncGenerator<MarkedPiece> {
  let rest = Buffer.alloc(0);
  for await (const chunk of chunks) {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const at = rest.indexOf(mark);
      const end = at < 0 ? -1 : rest.indexOf(LINE_END, at);
      if (end < 0) break;
      if (at > 0) yield { text: rest.subarray(0, at) };
      yield { id: rest.toString('latin1', at + mark.length, end) };
      rest = rest.subarray(end + 1);
    }
    const whole = rest.length - mark.length - MOST_ID_BYTES;
    if (whole <= 0) continue;
    yield { text: rest.subarray(0, whole) };
    rest = rest.subarray(whole);
  }
  if (rest.length > 0) yield { text: rest };
}
