/** Pieces that end with the separator, without it, a batch for each chunk; a character for each byte. What follows the last one is a piece too. */
export async function* splitAt(separator: '\n' | '\0', chunks: AsyncIterable<unknown>): AsyncGenerator<string[]> {
  let rest = '';
  for await (const chunk of chunks) {
    const [first = '', ...others] = (chunk as Buffer).toString('latin1').split(separator);
    const pieces = [rest + first, ...others];
    rest = pieces.pop() ?? '';
    if (pieces.length > 0) yield pieces;
  }
  if (rest !== '') yield [rest];
}
