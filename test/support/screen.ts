/** What a terminal shows after all of `output` was written to it, scrolled-out lines included: the sequences that `backupctl` uses. */
export function screenOf(output: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  let column = 0;
  const put = (character: string) => {
    const line = (lines[row] ?? '').padEnd(column);
    lines[row] = line.slice(0, column) + character + line.slice(column + 1);
    column += 1;
  };
  for (const [token, count, command] of output.matchAll(/\x1b\[(?:\?\d+|(\d*))([A-Za-z])|[^]/g)) {
    if (command === undefined) {
      if (token === '\r') column = 0;
      else if (token === '\n') row += 1;
      else put(token);
    }
    if (command === 'A') row = Math.max(0, row - Number(count || 1));
    if (command === 'B') row += Number(count || 1);
    if (command === 'G') column = Number(count || 1) - 1;
    if (command === 'K') lines[row] = count === '2' ? '' : (lines[row] ?? '').slice(0, column);
    while (lines.length <= row) lines.push('');
  }
  return lines.map((line) => line.trimEnd());
}
