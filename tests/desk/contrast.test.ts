import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const css = readFileSync('src/web/desk/desk.css', 'utf8');
const variables = (block: string): Record<string, string> => Object.fromEntries([...block.matchAll(/--([a-z0-9-]+):\s*(#[0-9a-f]{6});/g)].map((match) => [match[1], match[2]]));
const light = variables(css.slice(0, css.indexOf('@media')));
const dark = { ...light, ...variables(css.slice(css.indexOf('prefers-color-scheme: dark'))) };

/** WCAG 2.2, relative luminance. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
function contrast(a: string, b: string): number {
  const [lighter = 0, darker = 0] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (lighter + 0.05) / (darker + 0.05);
}

const GROUNDS = ['page', 'panel', 'sunk', 'brand-soft'];
const PAIRS = [
  ...GROUNDS.flatMap((ground) => [['ink', ground], ['quiet', ground], ['link', ground]]),
  ...['h2', 'h24', 'd7', 'd15'].flatMap((urgency) => [[urgency, `${urgency}-soft`], [urgency, 'panel']]),
  ['quiet', 'h2-soft'], ['quiet', 'h24-soft'], ['ink', 'h2-soft'], ['ink', 'h24-soft'],
  ['bar-ink', 'bar'], ['brand-ink', 'brand'], ['own-ink', 'own'], ['bot-ink', 'bot'], ['mark-ink', 'mark'], ['h2', 'page'],
] as const;

test.each([['light', light], ['dark', dark]] as const)('in the %s scheme every text stands out at least 4.5 : 1', (_, colours) => {
  const weak = PAIRS.map(([text = '', ground = '']) => ({ text, ground, ratio: contrast(colours[text] ?? '', colours[ground] ?? '') })).filter(({ ratio }) => !(ratio >= 4.5));
  expect(weak).toEqual([]);
});
