import { createHash } from 'node:crypto';
import { parse } from 'yaml';
import { z } from 'zod';
import type { Catalogue, CatalogueGroup, CatalogueType } from '../domain/catalogue.ts';
import { levelOne } from '../domain/catalogue.ts';
import { AppError } from '../domain/errors.ts';
import { DISPOSITIONS, NATURES, URGENCIES } from '../domain/understanding.ts';

const Urgency = z.enum(URGENCIES);
const Named = z.object({ zh: z.string().min(1), en: z.string().min(1) });
const Type = Named.extend({
  means: z.string().default(''),
  lead: z.string().nullable(),
  co: z.array(z.string()).default([]),
  clock: Urgency,
  transfer_only: z.boolean().default(false),
});
const Source = z.object({
  units: z.record(z.string(), z.string()),
  types: z.record(z.string().regex(/^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$/), z.unknown()),
  dispositions: z.record(z.enum(DISPOSITIONS), z.object({ zh: z.string(), means: z.string().default('') })),
  natures: z.record(z.enum(NATURES), z.string()),
  urgency: z.record(Urgency, z.object({ zh: z.string(), within: z.string(), means: z.string().default('') })),
});

/**
 * The catalogue from its YAML text.
 *
 * @throws AppError `catalogue.invalid` naming the entry, when a unit, a group or a class is unknown
 */
export function loadCatalogue(yaml: string): Catalogue {
  const source = parsed(Source, readYaml(yaml), 'catalogue');
  const groups: Record<string, CatalogueGroup> = {};
  const types: Record<string, CatalogueType> = {};
  for (const [code, entry] of Object.entries(source.types)) {
    if (!code.includes('.')) {
      groups[code] = { code, ...parsed(Named, entry, code) };
      continue;
    }
    const { transfer_only: transferOnly, ...type } = parsed(Type, entry, code);
    for (const unit of [...(type.lead ? [type.lead] : []), ...type.co]) {
      if (!(unit in source.units)) throw invalid(`${code} names the unit '${unit}', which is not among units`);
    }
    types[code] = { code, ...type, transferOnly };
  }
  for (const code of Object.keys(types)) {
    if (!groups[levelOne(code)]) throw invalid(`${code} belongs to '${levelOne(code)}', which is not among types`);
  }
  if (Object.keys(types).length < 5) throw invalid('fewer than five level-2 types');
  const version = createHash('sha256').update(yaml).digest('hex').slice(0, 8);
  return { ...source, version, groups, types };
}

function readYaml(yaml: string): unknown {
  try {
    return parse(yaml);
  } catch (cause) {
    throw new AppError('catalogue.invalid', 'The catalogue is not valid YAML; see the cause.', { cause });
  }
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw invalid(`${[where, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? 'invalid'}`);
}

function invalid(what: string): AppError {
  return new AppError('catalogue.invalid', `Catalogue: ${what}. Correct config/<city>/catalogue.yaml and start again.`);
}
