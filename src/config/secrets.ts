/** Shorter texts are left alone: they would black out half of a log and are no secret worth the name. */
const SHORTEST = 4;
const MASK = '***';

/**
 * A function that replaces each secret in a text by `***`: as it is, and as it looks in a URL, in JSON (also JSON within
 * JSON), in a pgpass file, in SQL and in base64. `secrets` is asked at each call, since secrets may be learned later.
 */
export function createRedactor(secrets: () => string[]): (text: string) => string {
  let known = '';
  let pattern: RegExp | undefined;
  return (text) => {
    const current = [...new Set(secrets())].filter((secret) => secret.length >= SHORTEST);
    const key = JSON.stringify(current);
    if (key !== known) {
      known = key;
      pattern = patternOf(current);
    }
    return pattern === undefined ? text : text.replace(pattern, MASK);
  };
}

function patternOf(secrets: string[]): RegExp | undefined {
  const forms = [...new Set(secrets.flatMap(formsOf))].filter((form) => form.length >= SHORTEST);
  if (forms.length === 0) return undefined;
  // The longest first: a secret that is part of another must not leave the rest of that one in sight.
  const longestFirst = forms.sort((one, other) => other.length - one.length);
  return new RegExp(longestFirst.map(escapePattern).join('|'), 'g');
}

function formsOf(secret: string): string[] {
  const wellFormed = Buffer.from(secret).toString(); // half a surrogate pair has no URL form and would throw
  const url = encodeURIComponent(wellFormed);
  return [
    secret,
    url,
    url.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    url.replaceAll('%20', '+'),
    encodeURI(wellFormed),
    inJson(secret),
    inJson(inJson(secret)),
    secret.replaceAll(/[\\:]/g, '\\$&'),
    secret.replaceAll("'", "''"),
    Buffer.from(secret).toString('base64').replaceAll('=', ''), // with its padding it is found too
    Buffer.from(secret).toString('base64url'),
  ];
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function escapePattern(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}
