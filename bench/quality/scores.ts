export const mean = (values: readonly number[]): number => (values.length === 0 ? Number.NaN : values.reduce((sum, each) => sum + each, 0) / values.length);
export const share = <T>(of: readonly T[], is: (one: T) => boolean): number => mean(of.map((one) => (is(one) ? 1 : 0)));

export interface Pair { readonly gold: string; readonly guess: string }

/** Over the labels that occur in the gold. */
export function macroF1(pairs: readonly Pair[]): number {
  const labels = [...new Set(pairs.map(({ gold }) => gold))];
  return mean(labels.map((label) => {
    const both = pairs.filter(({ gold, guess }) => gold === label && guess === label).length;
    const wrong = pairs.filter(({ gold, guess }) => (gold === label) !== (guess === label)).length;
    return both === 0 ? 0 : (2 * both) / (2 * both + wrong);
  }));
}

export function recallPrecision(pairs: readonly Pair[], label: string) {
  const both = pairs.filter(({ gold, guess }) => gold === label && guess === label).length;
  const gold = pairs.filter((pair) => pair.gold === label).length;
  const said = pairs.filter((pair) => pair.guess === label).length;
  return { recall: both / gold, precision: both / said, gold, said, both };
}

export interface Sure { readonly probability: number; readonly right: boolean }

/** Expected calibration error with bins of equal count. */
export function calibrationError(judged: readonly Sure[], bins = 15): number {
  const sorted = [...judged].sort((a, b) => a.probability - b.probability);
  let total = 0;
  for (let bin = 0; bin < bins; bin++) {
    const inside = sorted.slice(Math.floor((bin * sorted.length) / bins), Math.floor(((bin + 1) * sorted.length) / bins));
    if (inside.length > 0) total += (inside.length / sorted.length) * Math.abs(mean(inside.map(({ probability }) => probability)) - share(inside, ({ right }) => right));
  }
  return total;
}

/** Share of wrong ones among the `coverage` that is surest. */
export function errorAt(judged: readonly Sure[], coverage: number): number {
  const sorted = [...judged].sort((a, b) => b.probability - a.probability);
  return 1 - share(sorted.slice(0, Math.round(sorted.length * coverage)), ({ right }) => right);
}

/** Share of `foreign` above the score that at most `falseAlarms` of `real` exceed. */
export function recallAtFalseAlarms(foreign: readonly number[], real: readonly number[], falseAlarms: number): { recall: number; above: number } {
  const above = [...real].sort((a, b) => b - a)[Math.floor(real.length * falseAlarms)] ?? 0;
  return { recall: share(foreign, (score) => score > above), above };
}

/** Count, recall and precision per label, most frequent first. */
export function perLabel(pairs: readonly Pair[]): Record<string, { count: number; recall: number; precision: number | null }> {
  const counts = new Map<string, number>();
  for (const { gold } of pairs) counts.set(gold, (counts.get(gold) ?? 0) + 1);
  return Object.fromEntries([...counts].sort((a, b) => b[1] - a[1]).map(([label, count]) => {
    const { recall, precision } = recallPrecision(pairs, label);
    return [label, { count, recall: three(recall), precision: Number.isFinite(precision) ? three(precision) : null }];
  }));
}

/** What is taken for what, worst first. */
export function confusions(pairs: readonly Pair[]): { gold: string; guess: string; count: number }[] {
  const counts = new Map<string, number>();
  for (const { gold, guess } of pairs) if (gold !== guess) counts.set(`${gold} ${guess}`, (counts.get(`${gold} ${guess}`) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])).map(([key, count]) => {
    const [gold = '', guess = ''] = key.split(' ');
    return { gold, guess, count };
  });
}

export const three = (value: number): number => Math.round(value * 1000) / 1000;
