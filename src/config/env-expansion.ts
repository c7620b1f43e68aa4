// How docker compose expands `$NAME` and `${NAME…}` in an env file, rule by rule as its `template` package does.

/** A variable's value; undefined: unset. */
export type Lookup = (name: string) => string | undefined;

const NAME = '[_a-zA-Z][_a-zA-Z0-9]*';
// `[^\n]*` is greedy on purpose: which brace closes is looked for afterwards, since defaults may nest.
const REFERENCE = new RegExp(`\\$(?:\\$|(${NAME})|\\{(?:(${NAME}(?::?[-+?][^\\n]*)?)\\})?)`, 'g');
const BRACED = new RegExp(`^(${NAME})(?:(:?)([-+?])([\\s\\S]*))?$`);

/** Replaces every reference in `text`; what is unset becomes empty. Throws an Error that names the variable, never a value. */
export function expandAsCompose(text: string, lookup: Lookup): string {
  return text.replace(REFERENCE, (whole: string, named: string | undefined, braced: string | undefined) => {
    if (whole === '$$') return '$';
    if (named !== undefined) return lookup(named) ?? '';
    if (braced === undefined) throw new Error('`${` begins no valid reference');
    return expandBraced(whole, lookup);
  });
}

/** `reference` begins with `${` and may hold more text behind the brace that closes it. */
function expandBraced(reference: string, lookup: Lookup): string {
  const end = closingBrace(reference);
  const inner = BRACED.exec(reference.slice(2, end));
  if (inner === null) throw new Error('`${` begins no valid reference');
  const [, name = '', colon, operator, word = ''] = inner;
  const rest = expandAsCompose(reference.slice(end + 1), lookup);
  const value = lookup(name);
  const isSet = value !== undefined && (colon !== ':' || value !== '');
  if (operator === '-' && !isSet) return expandAsCompose(word, lookup) + rest;
  if (operator === '+') return (isSet ? expandAsCompose(word, lookup) : (value ?? '')) + rest;
  if (operator === '?' && !isSet) throw new Error(`the variable ${name} is required: ${expandAsCompose(word, lookup)}`);
  return (value ?? '') + rest;
}

/** Where the first brace closes. The character behind an opening one is not looked at, as in compose: `${A:-{}}` ends at the end. */
function closingBrace(text: string): number {
  let open = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '}' && --open === 0) return i;
    if (text[i] === '{') {
      open++;
      i++;
    }
  }
  return text.length - 1;
}
