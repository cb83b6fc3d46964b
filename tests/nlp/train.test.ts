import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HEAD_NAMES } from '../../src/nlp/classify.ts';
import { decide } from '../../src/nlp/decide.ts';
import { loadLexical } from '../../src/nlp/lexical.ts';
import { judgeRows, labelsOf, bestOf, type Judged } from '../../src/nlp/train/evaluate.ts';
import { cityExamples, correctionExamples, inKeptTenth, withoutRepeats, type Example } from '../../src/nlp/train/examples.ts';
import { matrixOf, vocabularyOf } from '../../src/nlp/train/features.ts';
import { mixture, termsOf, type Corpus, type Fit, type HeadFit } from '../../src/nlp/train/fit.ts';
import { chanceOfAtLeast, gate } from '../../src/nlp/train/gate.ts';
import { readFit, writeFolder } from '../../src/nlp/train/heads-folder.ts';
import { fitSvm, type Sparse } from '../../src/nlp/train/linear-svm.ts';
import { minimise } from '../../src/nlp/train/minimise.ts';
import { generator } from '../../src/nlp/train/random.ts';
import { denseLogits, fitSoftmaxRegression, type Dense } from '../../src/nlp/train/softmax-regression.ts';
import { withNewType } from '../../src/nlp/train/train.ts';

const random = generator(7);
const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Central differences, step by step downhill: slow and plain. */
function bruteForce(loss: (x: readonly number[]) => number, dim: number): number[] {
  const x = Array.from({ length: dim }, () => 0);
  for (let width = 1; width > 1e-7; width /= 1.7) {
    for (let round = 0; round < 60; round++) {
      let moved = false;
      for (let at = 0; at < dim; at++) {
        for (const step of [width, -width]) {
          const next = x.with(at, x[at]! + step);
          if (loss(next) < loss(x) - 1e-15) {
            x[at] = next[at]!;
            moved = true;
          }
        }
      }
      if (!moved) break;
    }
  }
  return x;
}

describe('the optimisers find what a brute search finds', () => {
  const rows = 24;
  const points = Array.from({ length: rows }, (_, row) => [gaussian() + (row % 3), gaussian() - (row % 2)]);
  const x: Dense = { rows, dim: 2, values: Float64Array.from(points.flat()) };

  test('softmax regression with weights, second answers and a prior', () => {
    const label = Int32Array.from({ length: rows }, (_, row) => row % 3);
    const alt = Int32Array.from({ length: rows }, (_, row) => (row % 4 === 0 ? (row + 1) % 3 : -1));
    const weight = Float64Array.from({ length: rows }, (_, row) => 1 + (row % 2));
    const prior = { weight: Float64Array.of(0.3, -0.2, 0, 0.1, 0.5, 0), bias: Float64Array.of(0, 0, 0) };
    const loss = (w: readonly number[]): number => {
      let sum = 0;
      for (let at = 0; at < 6; at++) sum += 0.5 * (w[at]! - prior.weight[at]!) ** 2;
      points.forEach(([a, b], row) => {
        const z = [0, 1, 2].map((each) => w[each * 2]! * a! + w[each * 2 + 1]! * b! + (each === 2 ? 0 : w[6 + each]!));
        const log = Math.log(z.reduce((total, each) => total + Math.exp(each), 0));
        const share = alt[row]! >= 0 ? 0.25 : 0;
        sum += 2 * weight[row]! * ((1 - share) * (log - z[label[row]!]!) + (share > 0 ? share * (log - z[alt[row]!]!) : 0));
      });
      return sum;
    };
    const model = fitSoftmaxRegression(x, { label, alt, weight }, { labels: 3, c: 2, prior, altShare: 0.25, maxIterations: 500, tolerance: 1e-12 });
    const found = bruteForce(loss, 8); // the third bias is free: only differences count
    const ours = [...model.weight, model.bias[0]! - model.bias[2]!, model.bias[1]! - model.bias[2]!];
    expect(loss(ours)).toBeLessThanOrEqual(loss(found) + 1e-4);
    ours.forEach((each, at) => expect(each).toBeCloseTo(found[at]!, 2));
  });

  test('the SVM by dual coordinate descent, with costs and a prior', () => {
    const sign = Int8Array.from(points, ([a, b]) => (a! + 0.5 * b! + 0.8 * gaussian() > 1 ? 1 : -1));
    const cost = Float64Array.from(points, (_, row) => 0.3 + (row % 3));
    const sparse: Sparse = { rows, columns: 2, start: Uint32Array.from({ length: rows + 1 }, (_, row) => row * 2), column: Uint32Array.from({ length: rows * 2 }, (_, at) => at % 2), value: Float32Array.from(points.flat()) };
    const prior = { weight: Float64Array.of(0.4, -0.4), bias: 0.2 };
    const loss = ([a, b, c]: readonly number[]): number => 0.5 * ((a! - 0.4) ** 2 + (b! + 0.4) ** 2 + (c! - 0.2) ** 2)
      + points.reduce((sum, [p, q], row) => sum + cost[row]! * Math.max(0, 1 - sign[row]! * (a! * p! + b! * q! + c!)) ** 2, 0);
    const model = fitSvm(sparse, sign, { cost, prior, tolerance: 1e-8, maxPasses: 5_000 });
    const found = bruteForce(loss, 3);
    [...model.weight, model.bias].forEach((each, at) => expect(each).toBeCloseTo(found[at]!, 3));
  });

  test('the two numbers of a mixture', () => {
    const dense = Float64Array.from({ length: 40 * 3 }, () => gaussian());
    const margins = Float64Array.from({ length: 40 * 3 }, () => gaussian());
    const label = Int32Array.from({ length: 40 }, (_, row) => [0, 1, 2].reduce((best, at) => (dense[row * 3 + at]! + 2 * margins[row * 3 + at]! + gaussian() > dense[row * 3 + best]! + 2 * margins[row * 3 + best]! ? at : best), 0));
    const share = new Float64Array(40).fill(1 / 40);
    const loss = (a: number, c: number) => label.reduce((sum, gold, row) => {
      const z = [0, 1, 2].map((at) => a * dense[row * 3 + at]! + c * margins[row * 3 + at]!);
      return sum + (Math.log(z.reduce((total, each) => total + Math.exp(each), 0)) - z[gold]!) / 40;
    }, 0);
    const best = mixture(dense, margins, label, share);
    let least = Infinity;
    for (let a = 0.02; a < 6; a += 0.04) for (let c = 0.02; c < 6; c += 0.04) least = Math.min(least, loss(a, c));
    expect(best.loss).toBeLessThanOrEqual(least + 1e-4);
    expect(best.loss).toBeCloseTo(loss(best.encoder, best.margin), 8);
  });

  test('a quadratic in 30 directions, to the digit', () => {
    const { x: found } = minimise((at, gradient) => at.reduce((sum, each, nth) => {
      gradient[nth] = (nth + 1) * (each - nth);
      return sum + 0.5 * (nth + 1) * (each - nth) ** 2;
    }, 0), new Float64Array(30), { tolerance: 1e-14, maxIterations: 200 });
    found.forEach((each, nth) => expect(each).toBeCloseTo(nth, 4));
  });
});

test('rows of a model give the same logits whatever their number', () => {
  const model = { weight: Float64Array.from({ length: 35 }, gaussian), bias: Float64Array.from({ length: 7 }, gaussian) };
  const values = Float64Array.from({ length: 15 }, gaussian);
  const all = denseLogits(model, { rows: 3, dim: 5, values });
  for (const row of [0, 1, 2]) expect([...denseLogits(model, { rows: 1, dim: 5, values: values.slice(row * 5, row * 5 + 5) })]).toEqual([...all.slice(row * 7, row * 7 + 7)]);
});

/** Messages of `types`, each with a direction and words of its own. */
function toyCorpus(types: readonly string[], each: number): Corpus {
  const dim = 12;
  const examples: Example[] = [];
  const values: number[] = [];
  types.forEach((type, nth) => {
    for (let count = 0; count < each; count++) {
      examples.push({ id: `${type}-${count}`, source: 'chat', text: `${'水电路灯楼梯车门窗暖气'.slice(nth, nth + 2)}坏了第${count % 5}回`, labels: { type }, alt: null, keptBack: count % 4 === 3 });
      const vector = Array.from({ length: dim }, (_, at) => (at === nth ? 1 : 0) + 0.35 * gaussian());
      const length = Math.hypot(...vector);
      values.push(...vector.map((value) => value / length));
    }
  });
  return { examples, vectors: { rows: examples.length, dim, values: Float64Array.from(values) }, terms: examples.map(({ text }) => termsOf(text, () => [])) };
}

function toyFit(corpus: Corpus, types: readonly string[]): Fit {
  const rows = corpus.examples.flatMap(({ labels, keptBack }, row) => (!keptBack && types.includes(labels.type ?? '') ? [row] : []));
  const vocabulary = vocabularyOf(rows.map((row) => corpus.terms[row]!), 1);
  const values = Float64Array.from(rows.flatMap((row) => [...corpus.vectors.values.subarray(row * 12, row * 12 + 12)]));
  const label = Int32Array.from(rows, (row) => types.indexOf(corpus.examples[row]!.labels.type!));
  const linear = fitSoftmaxRegression({ rows: rows.length, dim: 12, values }, { label, alt: new Int32Array(rows.length).fill(-1), weight: new Float64Array(rows.length).fill(1) }, { labels: types.length, c: 3 });
  const x = matrixOf(rows.map((row) => corpus.terms[row]!), vocabulary);
  const svms = types.map((_, at) => fitSvm(x, Int8Array.from(label, (each) => (each === at ? 1 : -1)), { cost: new Float64Array(rows.length).fill(0.5) }));
  const lexical = { weight: Float64Array.from(svms.flatMap(({ weight }) => [...weight])), bias: Float64Array.from(svms, ({ bias }) => bias) };
  const type: HeadFit = { labels: types, linear, lexical, encoder: 1, margin: 1 };
  return { vocabulary, heads: Object.fromEntries(HEAD_NAMES.map((name) => [name, type])) as Fit['heads'], chosen: Object.fromEntries(HEAD_NAMES.map((name) => [name, 'toy'])) as Fit['chosen'] };
}

test('eight examples make a new type usable, and the others keep theirs', () => {
  const types = ['a.1', 'a.2', 'b.1', 'b.2', 'c.1'];
  const whole = toyCorpus([...types, 'new.1'], 60);
  const base = toyFit(whole, types);
  let shown = 0;
  const corpus: Corpus = { ...whole, examples: whole.examples.map((example) => (example.labels.type === 'new.1' && !example.keptBack && ++shown > 8 ? { ...example, labels: {} } : example)) };
  const grown = withNewType(base, corpus, 'new.1');
  const share = (fit: Fit, wanted: (type: string) => boolean) => {
    const rows = whole.examples.flatMap(({ labels, keptBack }, row) => (keptBack && wanted(labels.type!) ? [row] : []));
    return judgeRows(fit, whole, rows, ['type']).filter(({ row, probability }) => fit.heads.type.labels[bestOf(probability.type!)] === whole.examples[row]!.labels.type).length / rows.length;
  };
  expect(grown.heads.type.labels).toEqual([...types, 'new.1']);
  expect(share(grown, (type) => type === 'new.1')).toBeGreaterThanOrEqual(0.6);
  expect(share(base, (type) => type !== 'new.1') - share(grown, (type) => type !== 'new.1')).toBeLessThanOrEqual(0.02);
});

describe('the gate', () => {
  const corpus = toyCorpus(['a.1', 'a.2'], 40);
  const fit = toyFit(corpus, ['a.1', 'a.2']);
  const judged = (right: (at: number) => boolean): Judged[] => corpus.examples.map(({ labels }, row) => {
    const gold = labels.type === 'a.1' ? 0 : 1;
    const guess = right(row) ? gold : 1 - gold;
    const probability = Float64Array.of(guess === 0 ? 0.9 : 0.1, guess === 0 ? 0.1 : 0.9);
    return { row, probability: { type: probability, intent: probability, urgency: probability } };
  });
  const labels = labelsOf(fit);
  const passes = (before: (at: number) => boolean, after: (at: number) => boolean) => gate(corpus, { judged: judged(before), labels }, { judged: judged(after), labels }).passed;

  test('refuses a head that loses more than chance explains', () => expect(passes(() => true, (at) => at % 8 !== 0)).toBe(false));
  test('lets through what is as good, better, or worse by no more than chance', () => {
    expect(passes((at) => at % 8 !== 0, (at) => at % 8 !== 0)).toBe(true);
    expect(passes((at) => at % 8 !== 0, () => true)).toBe(true);
    expect(passes((at) => at !== 3, (at) => at !== 5 && at !== 9)).toBe(true);
  });
  test.each([[5, 5, 1 / 32], [4, 5, 6 / 32], [0, 5, 1], [1, 1, 0.5]])('%i heads or more in %i throws', (heads, throws, chance) => expect(chanceOfAtLeast(heads, throws)).toBeCloseTo(chance, 10));
});

describe('a heads folder', () => {
  let folder = '';
  beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'jiban-heads-')); });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('comes back as it was written, words and all', () => {
    const corpus = toyCorpus(['a.1', 'a.2'], 20);
    const words = corpus.examples.map(({ text }) => termsOf(text, (one) => [one.slice(0, 2)]));
    const fit = toyFit({ ...corpus, terms: words }, ['a.1', 'a.2']);
    const sorted = [...fit.vocabulary.terms].sort((a, b) => Number(a.startsWith('\u0001')) - Number(b.startsWith('\u0001')));
    const order = sorted.map((term) => fit.vocabulary.index.get(term)!);
    const columns = order.length;
    const moved = Float64Array.from({ length: 2 * columns }, (_, at) => fit.heads.type.lexical.weight[Math.floor(at / columns) * columns + order[at % columns]!]!);
    const head = { ...fit.heads.type, lexical: { ...fit.heads.type.lexical, weight: moved } };
    const whole: Fit = { ...fit, vocabulary: { terms: sorted, index: new Map(sorted.map((term, at) => [term, at])), idf: Float64Array.from(order, (at) => fit.vocabulary.idf[at]!) }, heads: Object.fromEntries(HEAD_NAMES.map((name) => [name, head])) as Fit['heads'] };
    const encoder = { sha256: 'e'.repeat(64), dim: 12 };
    writeFolder(folder, { fit: whole, encoder, version: '1', decision: { typeAccept: 0.5, typeAsk: 0.1 }, metrics: {} });
    const again = readFit(folder, encoder);
    expect(again.vocabulary.terms).toEqual(sorted);
    again.heads.type.lexical.weight.forEach((each, at) => expect(Math.abs(each - moved[at]!)).toBeLessThan(0.02));
    const lexical = loadLexical(folder, Object.fromEntries(HEAD_NAMES.map((name) => [name, 2])));
    expect(lexical?.wantsWords).toBe(true);
    const { text } = corpus.examples[0]!;
    const ngrams = lexical!.ngramsOf([...text], [text.slice(0, 2)]);
    expect(ngrams.at.length).toBe(matrixOf([words[0]!], whole.vocabulary).column.length);
    const logits = lexical!.together('type', Float64Array.of(0, 0), ngrams)!;
    expect(logits[0]!).toBeGreaterThan(logits[1]!);
  });
});

describe('examples', () => {
  test('of a city say only what is known; a bad line is named', () => {
    const file = join(mkdtempSync(join(tmpdir(), 'jiban-examples-')), 'new.jsonl');
    writeFileSync(file, '{"text":"ＡＢ路灯不亮","type":"roads.lighting"}\n{"text":"转人工","intent":"human"}\n');
    expect(cityExamples(file).map(({ text, labels }) => [text, labels])).toEqual([['ab路灯不亮', { type: 'roads.lighting' }], ['转人工', { intent: 'human' }]]);
    writeFileSync(file, '{"text":"好"}\n{"text":""}\n');
    expect(() => cityExamples(file)).toThrow(/example 2/);
    rmSync(join(file, '..'), { recursive: true });
  });

  test('of operators hold what was corrected, nothing else', () => {
    const of = (after: object) => correctionExamples({ conversationId: 'c', ticketId: null, userId: 'u', at: 1, words: ['楼道灯不亮', '谢谢'], before: {}, after, modelVersion: 'm' } as unknown as Parameters<typeof correctionExamples>[0]);
    expect(of({ type: 'housing.repair' })).toMatchObject([{ text: '楼道灯不亮', labels: { type: 'housing.repair' }, source: 'correction', keptBack: false }]);
    expect(of({ description: 'x' })).toEqual([]);
  });

  test('to train on do not repeat what is kept back', () => {
    const one = (id: string, text: string, keptBack: boolean): Example => ({ id, source: keptBack ? 'chat' : 'written', text, labels: {}, alt: null, keptBack });
    const left = withoutRepeats([one('k', '我家楼下的路灯三天没亮了', true), one('r', '我家楼下的路灯三天没亮了啊', false), one('n', '垃圾桶满了没人收', false)]);
    expect(left.map(({ id }) => id)).toEqual(['k', 'n']);
  });

  test('are kept back by the same rule as in Python', () => expect(['a', 'tr-857', 'ja-0001', 'x12', 'ja-0021'].filter(inKeptTenth)).toEqual(['x12', 'ja-0021']));
});

test('a type with a threshold of its own is accepted by it', () => {
  const judged = (type: string) => ({
    intents: [{ value: 'report' as const, probability: 0.99 }], candidates: [{ value: type, probability: 0.6 }], type, disposition: 'accept' as const, lifeSafety: { rules: [], numbers: [], evidence: [] },
    missing: [], rivals: 0, outside: false, empty: false, answers: false,
  });
  const thresholds = { version: '1', typeAccept: 0.7, typeAcceptBy: { 'a.1': 0.5, 'a.2': 0.9 }, typeAsk: 0.1, intentAccept: 0.6, h2Flag: 0.5 };
  expect(['a.1', 'a.2', 'a.3'].map((type) => decide(judged(type), thresholds).kind)).toEqual(['accept', 'ask', 'ask']);
});
