import type { Understand } from '../../src/domain/ports.ts';
import { URGENCIES, type AddressUnderstanding, type Disposition, type Intent, type IssueType, type Understanding, type Urgency } from '../../src/domain/understanding.ts';
import { checkLifeSafety } from '../../src/nlp/index.ts';

/** The few things a test says about a message; the rest is what goes with them. */
export interface GivenUnderstanding {
  readonly intent?: Intent;
  /** For a report; with `probability` 0.9 unless said. */
  readonly type?: IssueType;
  readonly probability?: number;
  readonly urgency?: Urgency;
  readonly disposition?: Disposition;
  readonly decision?: Understanding['decision'];
  /** A stretch of the text that names the place, e.g. 「西罗园第二社区12号楼」, and the building in it. */
  readonly place?: string;
  readonly building?: string;
  readonly address?: Partial<AddressUnderstanding>;
}

const OTHERS = ['municipal.lighting', 'housing.property', 'noise.living', 'environment.sanitation', 'traffic.parking'];

/** A whole, valid Understanding of `text` from a few fields; danger is judged by the real rules. */
export function understandingOf(text: string, given: GivenUnderstanding = {}): Understanding {
  const intent = given.intent ?? 'chat';
  const type = given.type ?? null;
  const probability = given.probability ?? 0.9;
  const start = given.place === undefined ? -1 : text.indexOf(given.place);
  if (given.place !== undefined && start < 0) throw new Error(`「${given.place}」 is not in the text`);
  const spans = given.place === undefined ? [] : [{ start, end: start + given.place.length, text: given.place }];
  const lifeSafety = checkLifeSafety(text);
  const urgency = given.urgency ?? (type === null ? null : 'd7');
  return {
    intent: { value: intent, probability: 0.95 },
    intents: [{ value: intent, probability: 0.95 }],
    type,
    candidates: type === null ? [] : [{ value: type, probability }, ...OTHERS.filter((each) => each !== type).map((value) => ({ value, probability: (1 - probability) / 10 }))],
    nature: type === null ? null : { value: 'assistance', probability: 0.9 },
    disposition: { value: given.disposition ?? (type === null ? 'chat' : 'accept'), probability: 0.9 },
    urgency: urgency === null ? null : { value: urgency, probability: URGENCIES.includes(urgency) ? 0.9 : 0 },
    urgencyEvidence: [],
    lifeSafety,
    address: {
      spans, parts: given.building === undefined ? {} : { building: [given.building] }, place: null, label: '', missing: [], rivals: [], outside: false,
      ...(given.place === undefined ? {} : { place: { district: '110106', street: null, community: null }, label: '北京市丰台区' }),
      ...given.address,
    },
    anger: [],
    ticketNumber: null,
    decision: given.decision ?? { kind: 'accept', reason: 'given' },
    tokens: [],
    modelVersion: 'given-1',
    ms: 0,
  };
}

/**
 * Deterministic and fast: 「第000042号 12345号楼停水了」 is a report of a place of its own (so that it is nobody's repetition and
 * opens one ticket); everything else is chat. For tests and benches of what surrounds the model.
 */
export const givenUnderstand: Understand = async (text) => {
  const building = /(\d+号楼)停水/u.exec(text)?.[1];
  return building === undefined ? understandingOf(text) : understandingOf(text, { intent: 'report', type: 'utilities.water', urgency: 'h24', place: building, building });
};

/** The text of report number `n`, as `givenUnderstand` hears it. */
export const reportText = (n: number): string => `第${String(n).padStart(6, '0')}号 ${100_000 + n}号楼停水了`;
