import { z } from 'zod';
import { keyNotes } from './schema-leaves.js';
import { fileSchema } from './schema.js';
import { retentionSchema } from './retention.js';
import { volumeSchema } from './target-schema.js';
import { PLACE_KEYS } from './volume-place.js';

/** Any value may be a reference instead. */
const REFERENCE = { type: 'string', pattern: '\\$\\{' };

/** The JSON Schema of `backups.yml` as it is written, before references are expanded; editors complete and check by it. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(fileSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const schema = zodSchema as unknown;
      if (schema === retentionSchema) jsonSchema.minProperties = 1;
      // Exactly one says where the volume is: a rule between keys, which a schema of zod does not hand on.
      if (schema === volumeSchema) jsonSchema.oneOf = PLACE_KEYS.map(havingKey);
      const notes = keyNotes.get(zodSchema as unknown as z.ZodType);
      if (notes === undefined) return;
      const isPlainText =
        jsonSchema.type === 'string' && jsonSchema.enum === undefined && jsonSchema.const === undefined;
      const isList = jsonSchema.type === 'array';
      const own = { ...jsonSchema };
      for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
      Object.assign(jsonSchema, isPlainText || isList ? own : { anyOf: [...(own.anyOf ?? [own]), REFERENCE] }, {
        description: `${notes.description} Expected: ${notes.expects}.`,
        examples: [notes.example],
        ...(isQuoted(notes.default) ? { default: notes.default } : {}),
      });
    },
  });
}

function havingKey(key: string) {
  return { type: 'object' as const, properties: { [key]: {} }, required: [key] };
}

/** Whether a default is a value rather than words about it. */
export function isQuoted(value: string | number | boolean | undefined): value is string | number | boolean {
  return value !== undefined && !String(value).startsWith('(');
}
