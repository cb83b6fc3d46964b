import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { checkLifeSafety } from '../../src/nlp/life-safety.ts';

const file = fileURLToPath(new URL('../../../shared/data/messages/chat.jsonl', import.meta.url));
const here = existsSync(file);
if (!here) console.log(`skipped: ${file} is not there, so the rules are not counted on it`);

test.skipIf(!here)('of the chat messages marked h2 the rules alone hear at least 96 %, and of what they hear 80 % is h2', () => {
  const rows = readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as { text: string; urgency: string | null });
  const count = { heard: 0, missed: 0, mistaken: 0 };
  for (const { text, urgency } of rows) {
    const heard = checkLifeSafety(text).rules.length > 0;
    if (urgency === 'h2') count[heard ? 'heard' : 'missed'] += 1;
    else if (heard) count.mistaken += 1;
  }
  const recall = count.heard / (count.heard + count.missed);
  const precision = count.heard / (count.heard + count.mistaken);
  console.log(`life-safety rules on chat.jsonl: recall ${recall.toFixed(3)}, precision ${precision.toFixed(3)}, ${JSON.stringify(count)}`);
  expect(recall).toBeGreaterThanOrEqual(0.96);
  expect(precision).toBeGreaterThanOrEqual(0.8);
});
