import { z } from 'zod';

/** The schema without what makes it optional. */
export function unwrap(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable) return unwrap(schema.unwrap() as z.ZodType);
  return schema;
}

/** The keys that a mapping may have; none where the schema is of something else. */
export function keysOf(schema: z.ZodType | undefined): string[] {
  const bare = schema === undefined ? undefined : unwrap(schema);
  return bare instanceof z.ZodObject ? Object.keys(bare.shape) : [];
}

/** The schema below a key, or of a list's items. */
export function childSchema(schema: z.ZodType | undefined, key: PropertyKey): z.ZodType | undefined {
  const bare = schema === undefined ? undefined : unwrap(schema);
  if (bare instanceof z.ZodArray) return unwrap(bare.element as z.ZodType);
  if (!(bare instanceof z.ZodObject)) return undefined;
  const child = (bare.shape as Record<string, z.ZodType>)[String(key)];
  return child === undefined ? undefined : unwrap(child);
}
