/** Shorter texts are left alone: they would black out half of a log and are no secret worth the name. */
const SHORTEST = 4;
const MASK = '***';

/**
 * A function that replaces each secret in a text by `***`: as it is, and as it looks in a URL, in JSON (also JSON within
 * JSON), in a pgpass file, in SQL and in base64. Both functions are asked at each call, since secrets may be learned later.
 * A name of `names` stays whole although a secret is in it: it stands in file names and schedules anyway, and a mask in its
 * place would hide what a message is about and give the secret away.
 */
export function createRedactor(
  secrets: () => readonly string[],
  names: () => readonly string[] = () => [],
): (text: string) => string {
  let known: [secrets: readonly string[], names: readonly string[]] = [[], []];
  let pattern: RegExp | undefined;
  let kept = new Set<string>();
  return (text) => {
    const now: typeof known = [secrets(), names()];
    // The same lists again are not looked through: this is asked for each line, and there may be thousands.
    if (now.some((list, index) => list !== known[index])) {
      known = now;
      const [all, open] = now;
      const current = [...new Set(all)].filter((secret) => secret.length >= SHORTEST);
      kept = new Set(open.filter((name) => current.some((secret) => name.includes(secret))));
      pattern = patternOf(current, kept);
    }
    return pattern === undefined ? text : text.replace(pattern, (found) => (kept.has(found) ? found : MASK));
  };
}

function patternOf(secrets: string[], kept: ReadonlySet<string>): RegExp | undefined {
  const forms = new Set(secrets.flatMap(formsOf).filter((form) => form.length >= SHORTEST));
  if (forms.size === 0) return undefined;
  // The longest first: a secret that is part of another, or holds a name, must not leave the rest of it in sight.
  const longestFirst = [...new Set([...forms, ...kept])].sort((one, other) => other.length - one.length);
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
