import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync('src/web/chat/chat.css', 'utf8');
const variables = (block: string): Record<string, string> => Object.fromEntries([...block.matchAll(/--([a-z-]+):\s*(#[0-9a-f]{6});/g)].map((match) => [match[1], match[2]]));
const light = variables(css.slice(0, css.indexOf('@media')));
const dark = { ...light, ...variables(css.slice(css.indexOf('prefers-color-scheme: dark'))) };

/** WCAG 2.2, relative luminance. */
function luminance(color: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
function contrast(a: string, b: string): number {
  const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (lighter + 0.05) / (darker + 0.05);
}

const PAIRS = [
  ['ink', 'page'], ['ink', 'bar'], ['ink', 'bubble'], ['ink', 'field'], ['quiet', 'page'], ['quiet', 'bar'], ['quiet', 'bubble'], ['quiet', 'field'],
  ['own-ink', 'own'], ['brand-ink', 'brand'], ['link', 'bubble'], ['link', 'bar'], ['link', 'page'], ['link', 'field'], ['link', 'brand-soft'],
  ['warn', 'page'], ['warn', 'bar'], ['warn', 'bubble'], ['warn-ink', 'warn-soft'], ['notice-ink', 'notice'],
] as const;

test.each([['light', light], ['dark', dark]] as const)('in the %s scheme every text stands out at least 4.5 : 1', (_name, colors) => {
  const weak = PAIRS.map(([text, ground]) => ({ text, ground, ratio: contrast(colors[text] ?? '', colors[ground] ?? '') })).filter(({ ratio }) => !(ratio >= 4.5));
  expect(weak).toEqual([]);
});

test.each([['#5b6f8a', '#ffffff'], ['#1f5fae', '#ffffff'], ['#7a5b1e', '#ffffff'], ['#b3261e', '#ffffff']])('the fixed pair %s / %s too', (ground, text) => {
  expect(css).toContain(ground);
  expect(contrast(ground, text)).toBeGreaterThanOrEqual(4.5);
});
