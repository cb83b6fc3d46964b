import { bestOf, topLabels, type Judged, type Labels } from './evaluate.ts';
import type { Corpus } from './fit.ts';

/**
 * Wrong in this share of the types taken without a question (neither the label nor its alternative). A resident sees the type on an
 * editable card at once, and a question costs everyone a turn.
 */
const ACCEPT_ERROR = 0.14;
const SURE_ERROR = 0.05;
const TOP_THREE = 0.7;
/** A guess that is right less than one time in ten is not worth showing. */
const LEAST_ASK = 0.1;
const H2_RECALL = 0.95;
/** So many kept-back messages must have been taken for a type before it gets a threshold of its own. */
const LEAST_MESSAGES = 12;
/** The weight of what all types together say, in messages, when one type's error is estimated. */
const PRIOR_MESSAGES = 4;
const LOWEST_OWN = 0.3;
const HIGHEST_OWN = 0.9;

interface Point { readonly coverage: number; readonly error: number; readonly strictError: number; readonly threshold: number }
/** One answer: how sure, right when it is the label or its second good answer, strictly right when it is the label. */
interface Answer { readonly type: string; readonly sure: number; readonly right: boolean; readonly strict: boolean }

const four = (value: number): number => Math.round(value * 10_000) / 10_000;
const share = <T>(of: readonly T[], is: (one: T) => boolean): number => (of.length === 0 ? 0 : of.filter(is).length / of.length);

function answersOf(judged: readonly Judged[], corpus: Corpus, labels: Labels, head: 'type' | 'intent' | 'urgency'): Answer[] {
  return judged.flatMap(({ row, probability: { [head]: probability } }) => {
    const { labels: gold, alt } = corpus.examples[row]!;
    if (!probability || gold[head] === undefined || (head === 'type' && gold.type === 'none')) return [];
    const best = bestOf(probability);
    const type = labels[head][best]!;
    const strict = type === gold[head];
    return [{ type, sure: probability[best]!, strict, right: strict || (head === 'type' && type === alt) }];
  }).sort((a, b) => b.sure - a.sure);
}

function curveOf(answers: readonly Answer[], steps = 20): Point[] {
  const counts = [...new Set(Array.from({ length: steps }, (_, step) => Math.max(1, Math.round((answers.length * (step + 1)) / steps))))];
  return counts.filter((count) => count <= answers.length).map((count) => {
    const taken = answers.slice(0, count);
    return { coverage: four(count / answers.length), error: four(share(taken, ({ right }) => !right)), strictError: four(share(taken, ({ strict }) => !strict)), threshold: four(taken.at(-1)!.sure) };
  });
}

/** The lowest threshold above which at most `error` of the answers are wrong. */
function acceptAt(answers: readonly Answer[], error: number): { threshold: number; coverage: number } {
  let best = 0;
  let wrong = 0;
  answers.forEach(({ right }, at) => {
    if (!right) wrong += 1;
    if (wrong / (at + 1) <= error) best = at;
  });
  return { threshold: answers[best]?.sure ?? 1, coverage: answers.length === 0 ? 0 : (best + 1) / answers.length };
}

/**
 * Types that were guessed often enough get a threshold of their own: the lowest above which the expected error, the type's own counts
 * mixed with what all types show at that probability, stays within the same bound.
 */
function ownThresholds(answers: readonly Answer[], fallback: number): { typeAcceptBy: Record<string, number>; typeCurves: Record<string, Point[]> } {
  const typeAcceptBy: Record<string, number> = {};
  const typeCurves: Record<string, Point[]> = {};
  for (const type of [...new Set(answers.map((answer) => answer.type))].sort()) {
    const own = answers.filter((answer) => answer.type === type);
    if (own.length < LEAST_MESSAGES) continue;
    let threshold: number | null = null;
    let wrong = 0;
    own.forEach(({ sure, right }, at) => {
      if (!right) wrong += 1;
      const common = share(answers.filter((answer) => answer.sure >= sure), (answer) => !answer.right);
      if ((wrong + PRIOR_MESSAGES * common) / (at + 1 + PRIOR_MESSAGES) <= ACCEPT_ERROR) threshold = sure;
    });
    typeAcceptBy[type] = four(Math.min(HIGHEST_OWN, Math.max(LOWEST_OWN, threshold ?? Math.max(fallback, HIGHEST_OWN))));
    typeCurves[type] = curveOf(own, Math.min(20, own.length));
  }
  return { typeAcceptBy, typeCurves };
}

/** The thresholds of `decision.json` with the curves that chose them, from kept-back chat messages and letters. */
export function decisionOf(chat: readonly Judged[], letters: readonly Judged[], corpus: Corpus, labels: Labels, version: string) {
  const types = answersOf(chat, corpus, labels, 'type');
  const letterTypes = answersOf(letters, corpus, labels, 'type');
  const intents = answersOf(chat, corpus, labels, 'intent');
  const urgencies = answersOf(chat, corpus, labels, 'urgency');
  const typeAccept = acceptAt(types, ACCEPT_ERROR);
  const intentAccept = acceptAt(intents, SURE_ERROR);
  const urgencyAccept = acceptAt(urgencies, SURE_ERROR);
  const letterAccept = acceptAt(letterTypes, SURE_ERROR);
  const together = [...types, ...letterTypes].sort((a, b) => b.sure - a.sure);
  return {
    version, measuredOn: `kept-back part, ${chat.length} chat messages, ${types.length} with a matter`,
    curve: curveOf(types), typeAccept: four(typeAccept.threshold), acceptError: ACCEPT_ERROR, typeAsk: four(askAt(chat, corpus, labels)),
    intentAccept: four(intentAccept.threshold), urgencyAccept: four(urgencyAccept.threshold), ...dangerOf(chat, corpus, labels),
    coverage: { typeAccept: four(typeAccept.coverage), intentAccept: four(intentAccept.coverage), urgencyAccept: four(urgencyAccept.coverage) },
    letters: { curve: curveOf(letterTypes), typeAccept: four(letterAccept.threshold), coverage: four(letterAccept.coverage) },
    intentCurve: curveOf(intents), ...ownThresholds(together, typeAccept.threshold),
  };
}

/** Below this the three best guesses hold the answer too seldom to be worth offering. */
function askAt(chat: readonly Judged[], corpus: Corpus, labels: Labels): number {
  const tries = chat.flatMap(({ row, probability: { type } }) => {
    const { labels: gold, alt } = corpus.examples[row]!;
    if (!type || gold.type === 'none') return [];
    const three = topLabels(type, labels.type, 3);
    return [{ sure: Math.max(...type), offered: three.includes(gold.type ?? '') || three.includes(alt ?? '') }];
  }).sort((a, b) => a.sure - b.sure);
  let ask = 0;
  for (let count = 10; count < tries.length; count++) if (share(tries.slice(0, count), ({ offered }) => offered) < TOP_THREE) ask = tries[count]!.sure;
  return Math.max(ask, LEAST_ASK);
}

/** When the model alone should speak of danger: recall first, the rules stand beside it. */
function dangerOf(chat: readonly Judged[], corpus: Corpus, labels: Labels) {
  const h2 = labels.urgency.indexOf('h2');
  const seen = chat.map(({ row, probability: { urgency } }) => ({ danger: corpus.examples[row]!.labels.urgency === 'h2', sure: urgency?.[h2] ?? 0 }));
  const sure = seen.filter(({ danger }) => danger).map((each) => each.sure).sort((a, b) => b - a);
  const at = (threshold: number) => ({ precision: four(share(seen.filter((each) => each.sure >= threshold), ({ danger }) => danger)), flagged: four(share(seen, (each) => each.sure >= threshold)) });
  const h2Curve = sure.flatMap((each, nth) => (nth < Math.floor(sure.length / 2) ? [] : [{ recall: four((nth + 1) / sure.length), threshold: four(each * 0.999), ...at(each) }]));
  const flag = Math.min(0.5, (sure[Math.ceil(H2_RECALL * sure.length) - 1] ?? 0.5) * 0.999);
  return { h2Flag: four(flag), h2Curve, h2FlagRecall: four(share(sure, (each) => each >= flag)), h2FlagPrecision: at(flag).precision };
}
