const LONGEST = 240;

/** The first line of a text of others, bounded, as Markdown that shows it letter by letter; also within a cell of a table. */
export function plainLine(text: string): string {
  const line = text.split(/[\r\n]/, 1)[0] ?? '';
  const shown = line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
  return shown.replaceAll(/[\\`*_[\]|~#!$<>&]/g, '\\$&').replaceAll(/\p{Cc}/gu, ' ');
}

/** The Web UI leaves no room between columns: an en space does, which Markdown does not take away. */
export function tableRow(cells: readonly string[]): string {
  return `|${cells.map((cell) => ` ${cell}\u2002`).join('|')}|`;
}
