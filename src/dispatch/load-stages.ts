import { parse } from 'yaml';
import { z } from 'zod';
import type { Catalogue } from '../domain/catalogue.ts';
import { AppError } from '../domain/errors.ts';
import type { StagePlan } from '../domain/stages.ts';

const Plans = z.array(z.strictObject({
  types: z.array(z.string().min(1)).min(1),
  stages: z.array(z.strictObject({ key: z.string().regex(/^[a-z][a-z0-9_]*$/), name: z.string().min(2).max(20), days: z.number().int().min(1).max(730) })).min(2),
}));

/** The city's plans for long matters (stages.yaml). @throws AppError `directory.invalid`, naming plan and mistake */
export function loadStages(text: string, catalogue: Catalogue): readonly StagePlan[] {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new AppError('directory.invalid', `stages.yaml is not valid YAML: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const plans = Plans.safeParse(value ?? []);
  if (!plans.success) throw new AppError('directory.invalid', `stages.yaml: ${z.prettifyError(plans.error)}`);
  const seen = new Set<string>();
  for (const [index, plan] of plans.data.entries()) {
    const wrong = (says: string): never => { throw new AppError('directory.invalid', `stages.yaml plan ${index + 1}: ${says}`); };
    for (const type of plan.types) {
      if (!Object.hasOwn(catalogue.types, type)) wrong(`the catalogue has no type ${type}`);
      if (seen.has(type)) wrong(`${type} has a plan already`);
      seen.add(type);
    }
    const keys = plan.stages.map((stage) => stage.key);
    if (new Set(keys).size < keys.length) wrong('two stages have the same key');
  }
  return plans.data;
}
