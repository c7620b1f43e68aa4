import { stripVTControlCharacters } from 'node:util';

/** Characters that move the cursor, hide or turn round what follows; errors quote what others wrote. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** From here on a character may take two columns; some take one, and a line is then cut a little early. */
const FIRST_WIDE = 0x1100;
const LAST_OF_PUNCTUATION = 0x206f;
const FIRST_OF_PUNCTUATION = 0x2000;

/** A text that a terminal shows as it is; it keeps its lines. */
export function printable(text: string): string {
  return stripVTControlCharacters(text)
    .split('\n')
    .map((line) => line.replaceAll('\t', ' ').replace(INVISIBLE, ''))
    .join('\n');
}

export function firstLine(text: string): string {
  return printable(text.split(/\r?\n/, 1)[0] ?? '');
}

/** At most `columns` wide; what does not fit is `…`. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let left = columns - 1; // for the ellipsis
  for (const character of text) {
    left -= widthOf(character);
    if (left < 0) break;
    kept += character;
  }
  return columns < 1 ? '' : `${kept}…`;
}

function widthOf(text: string): number {
  let width = 0;
  for (const character of text) width += isWide(character.codePointAt(0) ?? 0) ? 2 : 1;
  return width;
}

function isWide(codePoint: number): boolean {
  return codePoint >= FIRST_WIDE && !(codePoint >= FIRST_OF_PUNCTUATION && codePoint <= LAST_OF_PUNCTUATION);
}
