import { join } from 'node:path';
import type { Catalogue } from '../domain/catalogue.ts';
import type { UnderstandContext } from '../domain/ports.ts';
import type { Disposition, Intent, Nature, Scored, Understanding } from '../domain/understanding.ts';
import { DISPOSITIONS, NATURES } from '../domain/understanding.ts';
import { findAnger } from './anger.ts';
import { heardAsAnswer } from './answer.ts';
import { HEAD_NAMES, loadHeads, logitsOf, softmax, ranked } from './classify.ts';
import { loadLexical, type Lexical, type Ngrams } from './lexical.ts';
import type { HeadName, HeadSet } from './classify.ts';
import { decide, loadThresholds } from './decide.ts';
import { loadEncoder } from './encode.ts';
import type { Encoder } from './encode.ts';
import { loadGazetteer } from './gazetteer.ts';
import type { Gazetteer } from './gazetteer.ts';
import { checkLifeSafety, RULES_VERSION } from './life-safety.ts';
import { locate, piecesOfWindow } from './locate.ts';
import type { Located } from './locate.ts';
import { missingFields } from './missing.ts';
import { verifyModelFolder } from './model-folder.ts';
import { contentWords, createSegmenter } from './segment.ts';
import type { Segmenter, SegmenterName } from './segment.ts';
import { findTicketNumber } from './ticket-number.ts';
import { believed, judgeUrgency } from './urgency.ts';
import { sentenceAt, windowsOf } from './windows.ts';
import type { Window } from './windows.ts';

export interface UnderstanderOptions {
  /** The folder that holds `encoder/`, `heads/` and `gazetteer/`. */
  readonly modelDir: string;
  readonly catalogue: Catalogue;
  readonly segmenter?: SegmenterName;
  /** Another general dictionary for the segmenter. */
  readonly dictionary?: string;
  /** File in `gazetteer/`; default `beijing.json`. */
  readonly gazetteer?: string;
}

/** So many words of danger get a look of the model's own in a long message. */
const MOST_SALIENT = 4;

export interface Understander {
  readonly modelVersion: string;
  /** Never throws for what the text is; only when the model itself fails. */
  understand(text: string, context?: UnderstandContext): Promise<Understanding>;
  /** What the heads alone say, before rules and thresholds: for benches. */
  scores(text: string): Promise<Scores>;
  close(): Promise<void>;
}

/**
 * Everything `understand` needs, loaded into this thread.
 *
 * @throws AppError `model.*`, `segmenter.missing`, `gazetteer.invalid`
 */
export async function createUnderstander(options: UnderstanderOptions): Promise<Understander> {
  const { modelDir, catalogue, segmenter: segmenterName = 'jieba-rs', gazetteer: gazetteerFile = 'beijing.json' } = options;
  const encoder = await loadEncoder(join(modelDir, 'encoder'));
  try {
    const headSet = loadHeads(join(modelDir, 'heads'), encoder);
    const thresholds = loadThresholds(join(modelDir, 'heads'));
    verifyModelFolder(join(modelDir, 'gazetteer'), [gazetteerFile]);
    const gazetteer = loadGazetteer(join(modelDir, 'gazetteer', gazetteerFile));
    const segmenter = createSegmenter({ name: segmenterName, words: gazetteer.words, ...(options.dictionary ? { dictionary: options.dictionary } : {}) });
    const modelVersion = `enc-${encoder.version}/heads-${headSet.version}/${segmenter.name}/gaz-${gazetteer.version}/rules-${RULES_VERSION}`;
    const lexical = loadLexical(join(modelDir, 'heads'), Object.fromEntries(HEAD_NAMES.map((name) => [name, headSet.heads[name].labels.length])));
    const judge = createJudge({ encoder, headSet, lexical, gazetteer, catalogue, segmenter });
    return {
      modelVersion,
      close: () => encoder.close(),
      scores: async (text) => (await judge(text, [])).scores,
      understand: async (text, context = {}) => {
        const began = performance.now();
        const alarm = checkLifeSafety(text);
        const { scores, located, length, urgent } = await judge(text, alarm.evidence.map(({ span }) => span.start).slice(0, MOST_SALIENT));
        const lifeSafety = believed(text, alarm, urgent.danger);
        const ticketNumber = findTicketNumber(text);
        const answer = heardAsAnswer({ context, scores, located, length });
        const intents = answer?.intents ?? (scores.intent as readonly Scored<Intent>[]);
        const intent = intents[0] as Scored<Intent>;
        const danger = lifeSafety.rules.length > 0;
        const withMatter = carriesMatter(scores, intent, danger) && !answer?.addressOnly;
        const candidates = scores.type.filter(({ value }) => value !== 'none');
        const type = withMatter ? (candidates[0]?.value ?? null) : null;
        const disposition = dispositionOf(scores.disposition, intent, danger);
        const { urgency, evidence } = judgeUrgency(text, withMatter ? scores.urgency : null, lifeSafety, type ? (catalogue.types[type] ?? null) : null, thresholds.h2Flag, urgent.at);
        const missing = missingFields({ intent: intent.value, type, located, answers: Boolean(answer), ticketNumber, length });
        const decision = decide({
          intents, candidates, type, disposition: disposition.value, lifeSafety, missing, rivals: located.rivals.length,
          outside: located.outside, empty: length === 0 || !/[\p{L}\p{N}\p{Extended_Pictographic}]/u.test(text.slice(0, 20_000)), answers: Boolean(answer),
        }, thresholds);
        return {
          intent, intents, type, candidates: candidates.slice(0, 10),
          nature: withMatter ? natureOf(scores.nature) : null,
          disposition, urgency, urgencyEvidence: evidence, lifeSafety,
          address: { ...located, missing },
          anger: findAnger(text), ticketNumber, decision,
          tokens: contentWords(segmenter.words(text.slice(0, 5_000).toWellFormed().toLowerCase())),
          modelVersion, ms: Math.round((performance.now() - began) * 100) / 100,
        };
      },
    };
  } catch (cause) {
    await encoder.close();
    throw cause;
  }
}

export type Scores = Readonly<Record<HeadName, readonly Scored<string>[]>>;
interface Judgement {
  readonly scores: Scores;
  readonly located: Located;
  /** Code points after normalisation. */
  readonly length: number;
  /** The part that the model finds most dangerous: where it begins, and its probability of h2. */
  readonly urgent: { readonly at: number; readonly danger: number };
}
interface JudgeParts { readonly encoder: Encoder; readonly headSet: HeadSet; readonly lexical: Lexical | null; readonly gazetteer: Gazetteer; readonly catalogue: Catalogue; readonly segmenter: Segmenter }

function createJudge({ encoder, headSet, lexical, gazetteer, catalogue, segmenter }: JudgeParts) {
  const classify = (name: HeadName, vector: Float32Array, ngrams: Ngrams | null): Float64Array => {
    const head = headSet.heads[name];
    const logits = logitsOf(head, vector);
    const both = ngrams && lexical ? lexical.together(name, logits, ngrams) : null;
    return both ? softmax(both, 1) : softmax(logits, head.temperature);
  };
  const labels = Object.fromEntries(HEAD_NAMES.map((name) => [name, headSet.heads[name].labels])) as Record<HeadName, readonly string[]>;
  return async (text: string, salient: readonly number[]): Promise<Judgement> => {
    const windows = windowsOf(text, encoder.windowLength, salient);
    const seen: { window: Window; vector: Float32Array; ngrams: Ngrams | null; located: Located }[] = [];
    for (const window of windows) {
      const { points } = window.normalized;
      const encoded = await encoder.encode(points);
      const pieces = piecesOfWindow(encoded, encoder.tags, points);
      seen.push({ window, vector: encoded.vector, ngrams: lexical?.ngramsOf(points, lexical.wantsWords ? segmenter.words(window.normalized.text) : []) ?? null, located: locate(window.given, window.normalized, pieces, gazetteer) });
    }
    const length = windows.reduce((sum, { normalized }) => sum + normalized.points.length, 0);
    // Among much else three words of danger hardly move the vector: where the message is long, the model reads them once more alone.
    const alarming: Float64Array[] = [];
    for (const offset of windows.length > 1 ? salient : []) {
      const { normalized } = sentenceAt(text, offset, encoder.windowLength);
      const { vector } = await encoder.encode(normalized.points);
      alarming.push(classify('urgency', vector, lexical?.ngramsOf(normalized.points, lexical.wantsWords ? segmenter.words(normalized.text) : []) ?? null));
    }
    let urgent = { at: 0, danger: 0 };
    const scores = Object.fromEntries(HEAD_NAMES.map((name) => {
      const each = seen.map(({ vector, ngrams }) => classify(name, vector, ngrams));
      if (name === 'urgency') urgent = mostUrgent([...each, ...alarming], [...windows.map(({ at }) => at), ...salient], labels[name]);
      const merged = ranked(labels[name], mergeWindows(each, seen.map(({ window }) => window.normalized.points.length), labels[name], name));
      return [name, name === 'type' ? merged.filter(({ value }) => value === 'none' || value in catalogue.types) : merged];
    })) as unknown as Scores;
    return { scores, located: mergeLocated(seen.map(({ window, located }) => shifted(located, window.at))), length, urgent };
  };
}

/**
 * One distribution for the parts of a long message: parts that carry a matter speak, weighted by length and by place
 * (the first says most often what it is about). The most urgent part decides the urgency.
 */
function mergeWindows(each: readonly Float64Array[], lengths: readonly number[], labels: readonly string[], head: HeadName): Float64Array {
  const [first] = each;
  if (!first) return new Float64Array(labels.length).map((_, index) => (isNothing(labels[index] as string) ? 1 : 0));
  if (each.length === 1) return first;
  const nothing = labels.findIndex(isNothing);
  const weights = each.map((one, at) => (lengths[at] as number) * (at === 0 ? 2 : 1) * (nothing < 0 ? 1 : 1.02 - (one[nothing] as number)));
  if (head === 'urgency') {
    const h2 = labels.indexOf('h2');
    const worst = each.reduce((held, one, at) => ((one[h2] ?? 0) > (each[held]?.[h2] ?? 0) ? at : held), 0);
    if ((each[worst]?.[h2] ?? 0) >= 0.5) return each[worst] as Float64Array;
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0) || 1;
  const out = new Float64Array(labels.length);
  each.forEach((one, at) => one.forEach((value, label) => { out[label] = (out[label] as number) + (value * (weights[at] as number)) / total; }));
  return out;
}

function mostUrgent(each: readonly Float64Array[], starts: readonly number[], labels: readonly string[]): Judgement['urgent'] {
  const of = (one: Float64Array, label: string) => one[labels.indexOf(label)] ?? 0;
  const weight = (one: Float64Array) => 2 * of(one, 'h2') + of(one, 'h24');
  const worst = each.reduce((held, one, nth) => (weight(one) > weight(each[held] as Float64Array) ? nth : held), 0);
  return { at: starts[worst] ?? 0, danger: Math.max(0, ...each.map((one) => of(one, 'h2'))) };
}

const isNothing = (label: string) => label === 'none' || label === 'chat';

function shifted(located: Located, by: number): Located {
  if (by === 0) return located;
  return { ...located, spans: located.spans.map(({ start, end, text }) => ({ start: start + by, end: end + by, text })) };
}

/** The first part that names a place gives the place; spans and parts of all are kept. */
function mergeLocated(all: readonly Located[]): Located {
  const empty: Located = { spans: [], parts: {}, place: null, label: '', rivals: [], outside: false };
  const main = all.find(({ place }) => place) ?? all.find(({ rivals }) => rivals.length > 0) ?? all[0] ?? empty;
  if (all.length <= 1) return main;
  const parts: Record<string, string[]> = {};
  for (const located of all) {
    for (const [part, texts] of Object.entries(located.parts)) parts[part] = [...new Set([...(parts[part] ?? []), ...texts])].slice(0, 20);
  }
  return { ...main, spans: all.flatMap(({ spans }) => spans).slice(0, 50), parts, outside: main.outside && all.every(({ place }) => !place) };
}

/** Greetings, ratings and bare calls for a human have no matter; what names one has, whatever the intent. */
function carriesMatter(scores: Scores, intent: Scored<Intent>, danger: boolean): boolean {
  if (danger) return true;
  if (intent.value === 'chat') return false;
  const none = scores.type.find(({ value }) => value === 'none')?.probability ?? 0;
  return none < 0.5;
}

function dispositionOf(scores: readonly Scored<string>[], intent: Scored<Intent>, danger: boolean): Scored<Disposition> {
  const known = scores.filter(({ value }) => (DISPOSITIONS as readonly string[]).includes(value)) as readonly Scored<Disposition>[];
  const of = (value: Disposition) => known.find((scored) => scored.value === value)?.probability ?? 0;
  if (danger) return { value: 'emergency_line', probability: Math.max(0.9, of('emergency_line')) };
  if (intent.value === 'chat') return { value: 'chat', probability: Math.max(of('chat'), intent.probability) };
  const best = known.find(({ value }) => value !== 'chat') ?? { value: 'accept' as const, probability: 0 };
  return best;
}

function natureOf(scores: readonly Scored<string>[]): Scored<Nature> | null {
  return (scores.find(({ value }) => (NATURES as readonly string[]).includes(value)) as Scored<Nature> | undefined) ?? null;
}
