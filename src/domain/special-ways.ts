import type { ConversationId, Instant, ResidentId, UserId } from './ids.ts';
import type { Disposition, IssueType } from './understanding.ts';

/**
 * The six ways of art. 11(3) that are not a ticket. None of them is a bare refusal: each names where the matter goes, can be objected to
 * with one tap, and leaves a row that is never edited.
 */
export type SpecialOutcome = { readonly article: 11 } & (
  | { readonly way: 'emergency_line'; readonly item: 1; readonly channel: 'police' | 'fire' | 'ambulance' | 'traffic_police' }
  | { readonly way: 'legal_channel'; readonly item: 2; readonly channel: 'court' | 'enforcement' | 'labour_arbitration' | 'discipline' | 'reconsideration' | 'disclosure' | 'petition' }
  | { readonly way: 'repeat'; readonly item: 3; readonly channel: 'progress' }
  | { readonly way: 'confidential'; readonly item: 4; readonly channel: 'protected' }
  | { readonly way: 'market_channel'; readonly item: 5; readonly channel: 'market' | 'consumer' }
  | { readonly way: 'unlawful'; readonly item: 6; readonly channel: 'persuasion' }
);
export type SpecialWay = SpecialOutcome['way'];
/** `way:channel`, what a form or a row carries. */
export type SpecialKey = { [W in SpecialWay]: `${W}:${Extract<SpecialOutcome, { way: W }>['channel']}` }[SpecialWay];

const outcomes = {
  'emergency_line:police': { article: 11, item: 1, way: 'emergency_line', channel: 'police' },
  'emergency_line:fire': { article: 11, item: 1, way: 'emergency_line', channel: 'fire' },
  'emergency_line:ambulance': { article: 11, item: 1, way: 'emergency_line', channel: 'ambulance' },
  'emergency_line:traffic_police': { article: 11, item: 1, way: 'emergency_line', channel: 'traffic_police' },
  'legal_channel:court': { article: 11, item: 2, way: 'legal_channel', channel: 'court' },
  'legal_channel:enforcement': { article: 11, item: 2, way: 'legal_channel', channel: 'enforcement' },
  'legal_channel:labour_arbitration': { article: 11, item: 2, way: 'legal_channel', channel: 'labour_arbitration' },
  'legal_channel:discipline': { article: 11, item: 2, way: 'legal_channel', channel: 'discipline' },
  'legal_channel:reconsideration': { article: 11, item: 2, way: 'legal_channel', channel: 'reconsideration' },
  'legal_channel:disclosure': { article: 11, item: 2, way: 'legal_channel', channel: 'disclosure' },
  'legal_channel:petition': { article: 11, item: 2, way: 'legal_channel', channel: 'petition' },
  'repeat:progress': { article: 11, item: 3, way: 'repeat', channel: 'progress' },
  'confidential:protected': { article: 11, item: 4, way: 'confidential', channel: 'protected' },
  'market_channel:market': { article: 11, item: 5, way: 'market_channel', channel: 'market' },
  'market_channel:consumer': { article: 11, item: 5, way: 'market_channel', channel: 'consumer' },
  'unlawful:persuasion': { article: 11, item: 6, way: 'unlawful', channel: 'persuasion' },
} as const satisfies Readonly<Record<SpecialKey, SpecialOutcome>>;
export const SPECIAL_OUTCOMES: Readonly<Record<SpecialKey, SpecialOutcome>> = outcomes;
export const SPECIAL_KEYS = Object.keys(outcomes) as [SpecialKey, ...SpecialKey[]];

/**
 * From which probability on the model's word for a way is worth showing to an operator. It is never acted upon without one: on the
 * development part (741 messages of bench/quality/dev-ids.json, encoder 2.0.0) `legal_channel` was said twice at 0.5 and more, right once
 * (precision 0.50; 0 of 1 at 0.8), the ways 4–6 never, where 0.95 would be needed. Emergency numbers come from the life-safety rules and
 * a repeat from the resident's own open ticket; those two stay automatic.
 */
export const PROPOSE_FROM = 0.5;
const PROPOSED: readonly Disposition[] = ['legal_channel', 'confidential', 'market_channel', 'unlawful'];
export const isProposed = (disposition: Disposition, probability: number): boolean => probability >= PROPOSE_FROM && PROPOSED.includes(disposition);

/** One row of the audit: told, objected to, or decided upon after an objection. Appended, never edited. */
export interface SpecialWayEntry {
  readonly kind: 'told' | 'objected' | 'decided';
  /** The telling that it is about; its own id where `kind` is `told`. */
  readonly tellingId: string;
  readonly at: Instant;
  readonly conversationId: ConversationId;
  readonly residentId: ResidentId;
  readonly outcome: SpecialKey;
  readonly type: IssueType | null;
  /** The model's probability of this way, 0–1; null: the model had not said it. */
  readonly probability: number | null;
  readonly by: 'resident' | UserId;
  /** What the person decided after an objection: another (or the same) way, or a ticket. */
  readonly decision: SpecialKey | 'ticket' | null;
}
