import { join } from 'node:path';
import { z } from 'zod';
import { AppError } from '../domain/errors.ts';
import type { Decision, Disposition, Intent, LifeSafety, MissingField, Scored } from '../domain/understanding.ts';
import { readModelJson } from './model-folder.ts';

const LEAST_H2 = 0.5;
const Probability = z.number().min(0).max(1);
const Thresholds = z.object({
  version: z.union([z.string(), z.number()]).transform(String).default('0'),
  /** From here on the best type is taken: error of the accepted at most 5 % on the held-out messages. */
  typeAccept: Probability,
  /** For types that enough held-out messages were taken for: their own threshold instead of `typeAccept`. */
  typeAcceptBy: z.record(z.string(), Probability).default({}),
  /** Below this not even three candidates are worth showing. */
  typeAsk: Probability,
  intentAccept: Probability.default(0.6),
  /**
   * From here on the model's h2 is believed beside the rules. It is measured for the model alone; with the rules there
   * for recall, a flag below a half would mostly add false alarms (precision 0.55 instead of 0.73 at 0.3).
   */
  h2Flag: Probability.default(0.5).transform((flag) => Math.max(flag, LEAST_H2)),
});
export type Thresholds = z.infer<typeof Thresholds>;

/** @throws AppError `model.missing` naming the field */
export function loadThresholds(folder: string): Thresholds {
  const file = join(folder, 'decision.json');
  const parsed = Thresholds.safeParse(readModelJson(file));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new AppError('model.missing', `${file}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? 'has the wrong shape'}`);
}

export interface Judged {
  readonly intents: readonly Scored<Intent>[];
  readonly candidates: readonly Scored<string>[];
  readonly type: string | null;
  readonly disposition: Disposition;
  readonly lifeSafety: LifeSafety;
  readonly missing: readonly MissingField[];
  readonly rivals: number;
  readonly outside: boolean;
  /** No letter or digit in it. */
  readonly empty: boolean;
  /** The message answers the question just asked. */
  readonly answers: boolean;
}

/** Accept, ask or hand over: what the probabilities and the missing fields allow. Danger always goes on at once. */
export function decide(judged: Judged, thresholds: Thresholds): Decision {
  const { intents, candidates, type, lifeSafety, missing } = judged;
  const [best] = intents;
  if (lifeSafety.rules.length > 0) return { kind: 'accept', reason: `life_safety:${lifeSafety.rules[0] as string}` };
  if (judged.empty) return { kind: 'ask', ask: 'what', reason: 'no_words' };
  if (best?.value === 'human') return { kind: 'operator', reason: 'asked_for_human' };
  if (judged.disposition === 'confidential' || judged.disposition === 'unlawful') return { kind: 'operator', reason: `disposition:${judged.disposition}` };
  if (judged.outside) return { kind: 'operator', reason: 'outside_city' };
  if (judged.answers) return { kind: 'accept', reason: 'answer_to_question' };
  const intentSum = requestLike(intents);
  if (best && best.probability < thresholds.intentAccept && Math.max(intentSum, 1 - intentSum) < thresholds.intentAccept) {
    return { kind: 'ask', ask: 'intent', reason: `intent_probability:${best.probability.toFixed(2)}` };
  }
  if (best?.value === 'report' || (best?.value === 'question' && judged.disposition !== 'answer')) return aboutMatter(judged, thresholds);
  return { kind: 'accept', reason: `intent:${best?.value ?? 'chat'}${type ? `:${type}` : ''}${missing.includes('ticket') ? ':ticket_open' : ''}` };

  function aboutMatter({ rivals }: Judged, { typeAccept, typeAcceptBy, typeAsk }: Thresholds): Decision {
    const top = candidates[0]?.probability ?? 0;
    if (type === null) return { kind: 'ask', ask: 'what', reason: 'no_matter_found' };
    if (top < typeAsk) return { kind: 'operator', reason: `type_probability:${top.toFixed(2)}` };
    if (top < (typeAcceptBy[type] ?? typeAccept)) return { kind: 'ask', ask: 'type', reason: `type_probability:${top.toFixed(2)}` };
    if (best?.value === 'question') return { kind: 'accept', reason: `question:${top.toFixed(2)}` };
    if (missing.includes('what')) return { kind: 'ask', ask: 'what', reason: 'what_missing' };
    if (missing.includes('address')) return { kind: 'ask', ask: 'address', reason: rivals > 0 ? 'address_ambiguous' : 'address_missing' };
    if (missing.includes('building')) return { kind: 'ask', ask: 'building', reason: 'building_missing' };
    return { kind: 'accept', reason: `type_probability:${top.toFixed(2)}` };
  }
}

/** Report, supplement and question lead to the same first steps: doubt between them is no doubt about the matter. */
function requestLike(intents: readonly Scored<Intent>[]): number {
  return intents.filter(({ value }) => value === 'report' || value === 'supplement' || value === 'question')
    .reduce((sum, { probability }) => sum + probability, 0);
}
