import { expect, test } from 'vitest';
import { formatDeadline, formatTime } from '../../src/web/chat/format-time.ts';

const at = (local: string): number => Date.parse(`${local}:00+08:00`);

test('times are the city’s whatever the device’s clock is set to', () => {
  expect(formatTime(at('2026-11-24T05:46'), at('2026-11-24T23:59'))).toBe('05:46');
  expect(formatTime(at('2026-11-23T23:59'), at('2026-11-24T00:01'))).toBe('昨天 23:59');
  expect(formatTime(at('2025-12-31T08:00'), at('2026-01-02T08:00'))).toBe('2025年12月31日 08:00');
  expect(formatDeadline(at('2026-11-25T05:46'), at('2026-11-24T05:46'))).toBe('11月25日 05:46');
  expect(formatDeadline(at('2026-11-24T23:46'), at('2026-11-24T00:01'))).toBe('今天 23:46');
});
